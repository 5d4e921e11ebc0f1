using Calico.Bgp.Kernel.Links;

namespace Calico.Bgp.Configuration;

/// <summary>What may be called what: names end up in birdc's columns, in metrics' labels and in the kernel.</summary>
internal static class Names
{
    /// <summary>Instances that the daemon itself names; a peer of that name could not be told from them.</summary>
    private static readonly HashSet<string> Taken =
        ["bfd1", "device1", "direct1", "kernel1", "kernel2", "static1", "static2", "services1", "services2"];

    private static readonly HashSet<string> Verdicts = ["accept", "reject", "all", "none"];

    public static string? Interface(Section section, string key)
    {
        if (section.Text(key) is not { } name) return null;
        if (LinkNames.IsName(name)) return name;
        section.Error(key, $"expected the name of an interface for {section.Name(key)}, got \"{name}\"");
        return null;
    }

    /// <summary>Letters, digits and <c>_ - . :</c>, so that birdc's patterns and people's shells need no quotes.</summary>
    public static bool IsWord(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or ':');

    public const string WordExpected = "a name of at most 64 letters, digits and _ - . :";

    public static bool IsPeer(string name) => IsWord(name) && !Taken.Contains(name);

    public static bool IsFilter(string name) => IsWord(name) && !Verdicts.Contains(name);
}
