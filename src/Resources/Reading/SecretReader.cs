using System.Text;

namespace Calico.Bgp.Resources.Reading;

/// <summary>Secrets, and the references to them.</summary>
internal static class SecretReader
{
    public static Secret Read(Metadata metadata, Fields root)
    {
        var entries = new SortedDictionary<string, SecretValue>(StringComparer.Ordinal);
        foreach (var (key, value) in root["data"].Section().All)
            if (Octets(value) is { } octets) entries[key] = new([.. octets]);
        foreach (var (key, value) in root["stringData"].Section().All) entries[key] = new([.. Encoding.UTF8.GetBytes(value.Text() ?? "")]);
        return new(metadata) { Data = [.. entries.Select(entry => new SecretEntry(entry.Key, entry.Value))] };
    }

    /// <summary>The message never shows what stands there.</summary>
    private static byte[]? Octets(Field field)
    {
        var text = field.Text() ?? "";
        var octets = new byte[text.Length];
        if (Convert.TryFromBase64String(text, octets, out var count)) return octets[..count];
        field.Error("expected base64, got something else");
        return null;
    }

    /// <summary><c>{ secretKeyRef: { name, key } }</c>; without a reference inside there is no password.</summary>
    public static SecretKeyRef? Reference(Field field)
    {
        var password = field.Section();
        var reference = password["secretKeyRef"];
        password.WarnOfOthers();
        if (reference.IsAbsent) return null;
        var of = reference.Section();
        of["key"].Require("a key of the secret");
        var (name, key) = (of["name"].Word(), of["key"].Word());
        _ = of["optional"];
        of.WarnOfOthers();
        if (name == null) of.Error("name", "expected a secret's name, got nothing");
        return name != null && key != null ? new(name, key) : null;
    }
}
