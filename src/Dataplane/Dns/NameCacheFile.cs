// What endpoints have looked up outlives a restart (Calico's dnsCacheFile): one JSON file, written whole beside the old one and put in its
// place. Times in it are the wall clock's, as the cache's own clock begins anew. Nothing about the file stops anybody: one that is half
// there, of another release or too large is said and passed over, and the next one takes its place.

using System.Text.Json;
using System.Text.Json.Serialization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>A cache as it is written down.</summary>
/// <param name="Epoch">Calico's dnsCacheEpoch: what was written under another one is forgotten.</param>
internal sealed record NameCacheImage(int Version, int Epoch, DnsIsolation Isolation, IReadOnlyList<SavedName> Names)
{
    public const int CurrentVersion = 1;
}

internal sealed record SavedName(
    string Endpoint, string Name, IReadOnlyList<SavedLearning> Addresses, IReadOnlyList<SavedLearning> Aliases);

/// <param name="To">An address, or a name.</param>
/// <param name="Since">As <paramref name="Until"/> in milliseconds since 1970.</param>
internal sealed record SavedLearning(string To, string Server, uint Ttl, long Since, long Until);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(NameCacheImage))]
internal sealed partial class NameCacheJson : JsonSerializerContext;

internal static class NameCacheFile
{
    /// <summary>100,000 names with a few addresses each are a third of it.</summary>
    private const long Longest = 64 << 20;

    /// <exception cref="IOException">It cannot be written; the old one is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static void Write(string path, NameCacheImage image)
    {
        var beside = path + ".new";
        using (var file = File.Create(beside)) JsonSerializer.Serialize(file, image, NameCacheJson.Default.NameCacheImage);
        File.Move(beside, path, overwrite: true);
    }

    /// <param name="problem">Why it does not count: to be said once. Null, and no image: there is no file.</param>
    public static NameCacheImage? Read(string path, int epoch, DnsIsolation isolation, out string? problem)
    {
        NameCacheImage? image = null;
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > Longest) problem = $"expected at most {Longest} octets, got {file.Length}";
            else problem = Judge(image = JsonSerializer.Deserialize(file, NameCacheJson.Default.NameCacheImage), epoch, isolation);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = null;
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException or JsonException)
        {
            problem = unread.Message;
        }
        return problem == null ? image : null;
    }

    private static bool IsLacking(SavedName? name) => name == null || name.Addresses.Concat(name.Aliases).Any(one => (object?)one == null);

    private static string? Judge(NameCacheImage? image, int epoch, DnsIsolation isolation) => image switch
    {
        null => "expected names, got null",
        _ when image.Names.Any(IsLacking) => "expected names with addresses and aliases, got null among them",
        _ when image.Version != NameCacheImage.CurrentVersion => $"expected version {NameCacheImage.CurrentVersion}, got {image.Version}",
        _ when image.Epoch != epoch => $"expected epoch {epoch} (dnsCacheEpoch), got {image.Epoch}",
        _ when image.Isolation != isolation => $"expected isolation {isolation}, got {image.Isolation}",
        _ => null,
    };
}

internal static class SavedNames
{
    /// <summary>What has not ended yet.</summary>
    /// <param name="ahead">How far the wall clock's milliseconds are ahead of the cache's.</param>
    public static SavedName? Of(string endpoint, CachedName name, long now, long ahead)
    {
        SavedLearning Learning(string to, Learning by) => new(to, by.Server.ToString(), by.Ttl, by.Since + ahead, by.Until + ahead);
        var saved = new SavedName(endpoint, DnsName.Text(name.Octets),
            [.. name.Addresses.Where(one => one.By.Until > now).Select(one => Learning(one.Address.ToString(), one.By))],
            [.. name.Aliases.Where(one => one.By.Until > now).Select(one => Learning(DnsName.Text(one.Target.Octets), one.By))]);
        return saved is { Addresses.Count: 0, Aliases.Count: 0 } ? null : saved;
    }

    /// <returns>Null: it is no learning, or has ended.</returns>
    public static Learning? Read(SavedLearning saved, long now, long ahead, long longest)
    {
        if (!Address.TryParse(saved.Server, out var server)) return null;
        // A wall clock that has gone back meanwhile makes nothing last longer than a response could.
        var until = Math.Min(saved.Until - ahead, now + longest);
        return until > now ? new(server, saved.Ttl, Math.Min(saved.Since - ahead, now), until) : null;
    }
}
