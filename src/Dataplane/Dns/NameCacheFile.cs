// What endpoints have looked up outlives a restart (Calico's dnsCacheFile): one JSON file, written whole beside the old one and put in its
// place. Times in it are the wall clock's, as the cache's own clock begins anew. Nothing about the file stops anybody: one that is half
// there, of another release or too large is said and set aside, so that whoever wants to know what it was can look; nothing takes the place
// of what cannot be set aside.

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

/// <summary>What has come of a file.</summary>
internal readonly record struct NameCacheReading
{
    public NameCacheImage? Image { get; init; }
    /// <summary>Why there is none: to be said once.</summary>
    public string? Problem { get; init; }
    /// <summary>It is none of ours, or damaged; else it does not count by what is configured.</summary>
    public bool IsBroken { get; init; }
}

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

    /// <summary>Without a file there is neither an image nor anything to be said.</summary>
    public static NameCacheReading Read(string path, int epoch, DnsIsolation isolation)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > Longest) return Broken($"expected at most {Longest} octets, got {file.Length}");
            return Judge(JsonSerializer.Deserialize(file, NameCacheJson.Default.NameCacheImage), epoch, isolation);
        }
        catch (FileNotFoundException)
        {
            return default;
        }
        catch (DirectoryNotFoundException)
        {
            return new() { Problem = $"expected a folder {Path.GetDirectoryName(path)}, got none" };
        }
        catch (JsonException wrong)
        {
            return Broken($"line {wrong.LineNumber + 1}, octet {wrong.BytePositionInLine + 1}: expected names as bgpd writes them, got "
                + Failures.WordsOf(wrong));
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException)
        {
            return Broken(Failures.WordsOf(unread));
        }
    }

    private static NameCacheReading Broken(string problem) => new() { Problem = problem, IsBroken = true };

    /// <summary>Out of the way of the next one; what was set aside before goes.</summary>
    /// <returns>Where it is now.</returns>
    /// <exception cref="IOException">It is where it was.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static string SetAside(string path)
    {
        var aside = path + ".unreadable";
        if (Directory.Exists(path)) throw new IOException("expected a file, got a folder");
        File.Move(path, aside, overwrite: true);
        return aside;
    }

    private static bool IsLacking(SavedName? name) => name == null || name.Addresses.Concat(name.Aliases).Any(one => (object?)one == null);

    private static NameCacheReading Judge(NameCacheImage? image, int epoch, DnsIsolation isolation) => image switch
    {
        null => Broken("expected names, got null"),
        _ when image.Names.Any(IsLacking) => Broken("expected names with addresses and aliases, got null among them"),
        _ when image.Version != NameCacheImage.CurrentVersion =>
            Broken($"expected version {NameCacheImage.CurrentVersion}, got {image.Version}"),
        _ when image.Epoch != epoch => new() { Problem = $"expected epoch {epoch} (dnsCacheEpoch), got {image.Epoch}" },
        _ when image.Isolation != isolation => new() { Problem = $"expected isolation {isolation}, got {image.Isolation}" },
        _ => new() { Image = image },
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
