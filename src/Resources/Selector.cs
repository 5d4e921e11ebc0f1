using System.Diagnostics.CodeAnalysis;

namespace Calico.Bgp.Resources;

/// <summary>
/// Calico's label selectors: <c>||</c> under <c>&amp;&amp;</c> under <c>!</c>; atoms compare a label with strings, or ask whether
/// there is one.
/// Two selectors are equal when they say the same in the same structure, however they were spaced and quoted.
/// </summary>
public sealed class Selector : IEquatable<Selector>
{
    public static readonly Selector All = new(new SelectorNode.Everything(Global: false));

    internal Selector(SelectorNode root) => Root = root;

    internal SelectorNode Root { get; }

    public bool Matches(IReadOnlyDictionary<string, string> labels) => Root.Matches(labels);

    /// <summary><c>global()</c> stands somewhere in it.</summary>
    public bool MentionsGlobal => Root.MentionsGlobal;

    /// <param name="error">What was expected, what came, at which character (from 1).</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out Selector? selector, [NotNullWhen(false)] out string? error)
    {
        var parser = new SelectorParser(text);
        selector = parser.Parse(out error) is { } root ? new(root) : null;
        return selector != null;
    }

    /// <exception cref="FormatException">The text is no selector.</exception>
    public static Selector Parse(string text) =>
        TryParse(text, out var selector, out var error) ? selector : throw new FormatException(error);

    public bool Equals(Selector? other) => other != null && Root.Equals(other.Root);
    public override bool Equals(object? obj) => Equals(obj as Selector);
    public override int GetHashCode() => Root.GetHashCode();

    /// <summary>One spelling for all that are equal; it parses to the same selector.</summary>
    public override string ToString() => Root.ToString();
}
