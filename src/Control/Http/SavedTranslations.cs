using System.Text;
using System.Text.Json;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Http;

/// <summary>
/// Translations that the command line adds with <c>--save</c>: they are back when the daemon starts again. The file is the daemon's own. It
/// is written whole, beside the old one, and put in its place, so that it is never half there. One that is not understood was damaged, or
/// is somebody else's: that is said, it is left as it is, the start goes on, and nothing is saved until it is out of the way. Thread-safe.
/// </summary>
public sealed class SavedTranslations(string path, ILogger<SavedTranslations> log)
{
    private const int Version = 1;

    private readonly Lock turn = new();
    private readonly Dictionary<TranslationKey, TranslationBody> all = [];

    /// <summary>As it was read or written last; null: there was none.</summary>
    private string? known;

    /// <summary>What systemd gives to a unit that asks for a folder (StateDirectory), or where that would be.</summary>
    public static string DefaultPath => Path.Combine(
        Environment.GetEnvironmentVariable("STATE_DIRECTORY") is { Length: > 0 } folders ? folders.Split(':')[0] : "/var/lib/bgpd",
        "translations.json");

    /// <summary>Those that were saved, as far as they are understood; what is not has been logged.</summary>
    public IReadOnlyList<Translation> Read()
    {
        lock (turn)
            try
            {
                return File.Exists(path) ? Read(File.ReadAllText(path)) : [];
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                log.NotRead(path, refused.Message);
                return [];
            }
    }

    private List<Translation> Read(string text)
    {
        var some = new List<Translation>();
        try
        {
            var said = JsonSerializer.Deserialize(text, AnswersJson.Strict.SavedTranslationsBody);
            if (said is not { Version: Version }) throw new JsonException($"version {said?.Version}");
            known = text;
            foreach (var body in said.Translations)
                if (TranslationRequest.Read(body, out var one) is { } wrong)
                {
                    // The file stays as it is, so that nothing of it is lost.
                    known = null;
                    log.NotRead(path, $"{wrong.Where}: {wrong.Message}");
                }
                else
                {
                    some.Add(one!);
                    all[one!.Key] = body;
                }
        }
        catch (JsonException wrong)
        {
            log.NotRead(path, $"expected translations as bgpd saves them (version {Version}), got {Failures.WordsOf(wrong)}");
        }
        return some;
    }

    public bool Has(TranslationKey key)
    {
        lock (turn) return all.ContainsKey(key);
    }

    /// <returns>The file.</returns>
    /// <exception cref="IOException">It cannot be written, or holds what is not the daemon's: it is as it was.</exception>
    public string Save(Translation translation)
    {
        lock (turn) return Write(new(all) { [translation.Key] = CnatAnswers.BodyOf(translation) });
    }

    /// <returns>The file; null: it had none of them.</returns>
    /// <exception cref="IOException">As above.</exception>
    public string? Forget(IEnumerable<TranslationKey> keys)
    {
        lock (turn)
        {
            var left = new Dictionary<TranslationKey, TranslationBody>(all);
            foreach (var key in keys) left.Remove(key);
            return left.Count == all.Count ? null : Write(left);
        }
    }

    private string Write(Dictionary<TranslationKey, TranslationBody> newer)
    {
        try
        {
            if (File.Exists(path) && File.ReadAllText(path) != known)
                throw new IOException($"{path} is not as this bgpd has read or written it: it is left as it is; take it away");
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var text = JsonSerializer.Serialize(new(Version, [.. newer.Values]), AnswersJson.Legible.SavedTranslationsBody) + "\n";
            var beside = path + ".new";
            using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }
            File.Move(beside, path, overwrite: true);
            known = text;
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException(refused.Message, refused);
        }
        all.Clear();
        foreach (var (key, body) in newer) all[key] = body;
        return path;
    }
}

/// <summary>Event id 9110.</summary>
internal static partial class SavedTranslationsLog
{
    [LoggerMessage(9110, LogLevel.Error, "{File}, where saved translations are, is left as it is, and nothing is saved: {Reason}")]
    public static partial void NotRead(this ILogger log, string file, string reason);
}
