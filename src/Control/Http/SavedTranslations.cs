using System.Text;
using System.Text.Json;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Http;

/// <summary>
/// What the command line says with <c>--save</c>, translations and source NAT: it is back when the daemon starts again. The file is the
/// daemon's own. It is written whole, beside the old one, and put in its place, so that it is never half there. One that is not understood
/// was damaged, or is somebody else's: that is said, it is left as it is, the start goes on, and nothing is saved until it is out of the
/// way. Thread-safe.
/// </summary>
public sealed class SavedTranslations(string path, ILogger<SavedTranslations> log)
{
    private const int Version = 1;

    private readonly Lock turn = new();
    private Dictionary<TranslationKey, TranslationBody> all = [];
    private SourceNatEdits edits = SourceNatEdits.None;

    /// <summary>As it was read or written last; null: there was none.</summary>
    private string? known;

    /// <summary>Why nothing is saved, or not all that was is back; null: all is well.</summary>
    private volatile string? problem;

    /// <summary>The file is as it was read; null: it has been understood, or there is none.</summary>
    public string? Problem => problem is { } why && File.Exists(path) ? $"{path} is left as it is, and nothing is saved: {why}" : null;

    /// <summary>What systemd gives to a unit that asks for a folder (StateDirectory), or where that would be.</summary>
    public static string Folder =>
        Environment.GetEnvironmentVariable("STATE_DIRECTORY") is { Length: > 0 } folders ? folders.Split(':')[0] : "/var/lib/bgpd";

    public static string DefaultPath => Path.Combine(Folder, "translations.json");

    /// <summary>What was saved, as far as it is understood; what is not has been logged.</summary>
    public CommandLineState Read()
    {
        lock (turn)
            try
            {
                return File.Exists(path) ? Read(File.ReadAllText(path)) : CommandLineState.None;
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                NotRead(refused.Message);
                return CommandLineState.None;
            }
    }

    /// <summary>The same, of a process that hands over.</summary>
    public static string TextOf(CommandLineState said) => JsonSerializer.Serialize(
        new(Version, [.. said.Translations.Select(CnatAnswers.BodyOf)], [.. said.SourceNat.All.Select(CnatSourceNat.BodyOf)]),
        AnswersJson.Legible.SavedTranslationsBody);

    /// <summary>Null: it is of another release, and not understood.</summary>
    public static CommandLineState? Understand(string text)
    {
        try
        {
            var said = JsonSerializer.Deserialize(text, AnswersJson.Strict.SavedTranslationsBody);
            if (said is not { Version: Version }) return null;
            var translations = said.Translations.Select(body => TranslationRequest.Read(body, out var one) == null ? one : null);
            var edits = said.Snat.Select(body => CnatSourceNat.Read(body, out var edit) == null ? edit : null);
            return new([.. translations.OfType<Translation>()],
                edits.OfType<SourceNatEdit>().Aggregate(SourceNatEdits.None, (all, one) => all.With(one)));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private CommandLineState Read(string text)
    {
        var some = new List<Translation>();
        try
        {
            var said = JsonSerializer.Deserialize(text, AnswersJson.Strict.SavedTranslationsBody);
            if (said is not { Version: Version }) throw new JsonException($"version {said?.Version}");
            known = text;
            foreach (var body in said.Translations)
                if (!Refuse(TranslationRequest.Read(body, out var one)))
                {
                    some.Add(one!);
                    all[one!.Key] = body;
                }
            foreach (var body in said.Snat)
                if (!Refuse(CnatSourceNat.Read(body, out var edit))) edits = edits.With(edit!);
        }
        catch (JsonException wrong)
        {
            NotRead($"expected translations as bgpd saves them (version {Version}), got {Failures.WordsOf(wrong)}");
        }
        return new([.. some], edits);
    }

    /// <summary>One that is wrong: the file stays as it is, so that nothing of it is lost.</summary>
    private bool Refuse(ErrorAnswer? wrong)
    {
        if (wrong == null) return false;
        known = null;
        NotRead($"{wrong.Where}: {wrong.Message}");
        return true;
    }

    private void NotRead(string why)
    {
        problem = why;
        log.NotRead(path, why);
    }

    public bool Has(TranslationKey key)
    {
        lock (turn) return all.ContainsKey(key);
    }

    /// <summary>The file says of the same thing whether it is so.</summary>
    public bool Says(SourceNatEdit edit)
    {
        lock (turn) return edits.Says(edit);
    }

    /// <returns>The file.</returns>
    /// <exception cref="IOException">It cannot be written, or holds what is not the daemon's: it is as it was.</exception>
    public string Save(Translation translation)
    {
        lock (turn) return Write(new(all) { [translation.Key] = CnatAnswers.BodyOf(translation) }, edits);
    }

    /// <returns>The file.</returns>
    /// <exception cref="IOException">As above.</exception>
    public string Save(SourceNatEdit edit)
    {
        lock (turn) return Write(all, edits.With(edit));
    }

    /// <summary>All that is said of source NAT.</summary>
    /// <returns>The file; null: it had nothing of it.</returns>
    /// <exception cref="IOException">As above.</exception>
    public string? ForgetSourceNat()
    {
        lock (turn) return edits.All.Count == 0 ? null : Write(all, SourceNatEdits.None);
    }

    /// <returns>The file; null: it had none of them.</returns>
    /// <exception cref="IOException">As above.</exception>
    public string? Forget(IEnumerable<TranslationKey> keys)
    {
        lock (turn)
        {
            var left = new Dictionary<TranslationKey, TranslationBody>(all);
            foreach (var key in keys) left.Remove(key);
            return left.Count == all.Count ? null : Write(left, edits);
        }
    }

    private string Write(Dictionary<TranslationKey, TranslationBody> newer, SourceNatEdits newerEdits)
    {
        try
        {
            if (File.Exists(path) && File.ReadAllText(path) != known)
                throw new IOException($"{path} is not as this bgpd has read or written it: it is left as it is; take it away");
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var body = new SavedTranslationsBody(Version, [.. newer.Values], [.. newerEdits.All.Select(CnatSourceNat.BodyOf)]);
            var text = JsonSerializer.Serialize(body, AnswersJson.Legible.SavedTranslationsBody) + "\n";
            var beside = path + ".new";
            using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }
            File.Move(beside, path, overwrite: true);
            (known, problem) = (text, null);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException(refused.Message, refused);
        }
        (all, edits) = (newer, newerEdits);
        return path;
    }
}

/// <summary>Event id 9110.</summary>
internal static partial class SavedTranslationsLog
{
    [LoggerMessage(9110, LogLevel.Error, "{File}, where saved translations are, is left as it is, and nothing is saved: {Reason}")]
    public static partial void NotRead(this ILogger log, string file, string reason);
}
