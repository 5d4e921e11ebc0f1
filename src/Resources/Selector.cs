using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>
/// Calico's label selectors: <c>||</c> under <c>&amp;&amp;</c> under <c>!</c>; atoms compare a label with strings, or ask whether
/// there is one.
/// Two selectors are equal when they say the same in the same structure, however they were spaced and quoted.
/// </summary>
public sealed class Selector : IEquatable<Selector>
{
    public static readonly Selector All = new(SelectorNode.All);

    private string? text;
    private int hash;

    internal Selector(SelectorNode root) => Root = root;

    internal SelectorNode Root { get; }

    public bool Matches(IReadOnlyDictionary<string, string> labels) => Root.Matches(labels);

    /// <summary>What labels must have for it to match them: one term of each list. An empty list: nothing matches.</summary>
    public ListOf<ListOf<LabelTerm>> Needs => SelectorNeeds.Of(Root);

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

    public static Selector Has(string label) => new(new SelectorNode.Has(label));

    public static Selector Equal(string label, string value) => new(new SelectorNode.Compare(label, Comparison.Equal, value));

    public static Selector In(string label, IEnumerable<string> values, bool negated = false) =>
        new(new SelectorNode.In(label, negated, [.. values.Distinct().Order(StringComparer.Ordinal)]));

    /// <summary>What both match. <c>all()</c> adds nothing, and what stands in a row stays in one.</summary>
    public Selector And(Selector other) => new(SelectorNode.Joined(Root, other.Root));

    /// <summary>What this does not match; two denials are none.</summary>
    public Selector Not() => new(Root is SelectorNode.Not not ? not.Of : new SelectorNode.Not(Root));

    /// <summary>The same question of labels that are called otherwise.</summary>
    /// <param name="all">Stands where <c>all()</c> stood.</param>
    /// <param name="global">Stands where <c>global()</c> stood.</param>
    public Selector Prefixed(string prefix, Selector? all = null, Selector? global = null) =>
        new(Root.Prefixed(prefix, all?.Root, global?.Root));

    public bool Equals(Selector? other) =>
        ReferenceEquals(this, other) || (other != null && GetHashCode() == other.GetHashCode() && Root.Equals(other.Root));

    public override bool Equals(object? obj) => Equals(obj as Selector);

    /// <summary>Selectors are keys of much, and their trees can be large.</summary>
    public override int GetHashCode() => hash != 0 ? hash : hash = Root.GetHashCode() | 1;

    /// <summary>One spelling for all that are equal; it parses to the same selector.</summary>
    public override string ToString() => text ??= Root.ToString();
}
