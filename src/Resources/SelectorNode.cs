using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>The tree of a selector. Each node says what it matches and how it is written.</summary>
internal abstract record SelectorNode
{
    private SelectorNode() { }

    public static readonly SelectorNode All = new Everything(Global: false);

    public abstract bool Matches(IReadOnlyDictionary<string, string> labels);
    public virtual bool MentionsGlobal => false;
    /// <summary>See <see cref="Selector.Prefixed"/>.</summary>
    public abstract SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global);
    public abstract override string ToString();

    public static SelectorNode Joined(SelectorNode one, SelectorNode other)
    {
        SelectorNode[] all = [.. Parts(one).Concat(Parts(other)).Distinct()];
        return all.Length switch { 0 => All, 1 => all[0], _ => new And([.. all]) };
    }

    private static ListOf<SelectorNode> Parts(SelectorNode node) => node switch
    {
        And and => and.Of,
        Everything { Global: false } => [],
        _ => [node],
    };

    private static ListOf<SelectorNode> Prefixed(ListOf<SelectorNode> nodes, string prefix, SelectorNode? all, SelectorNode? global) =>
        [.. nodes.Select(node => node.Prefixed(prefix, all, global))];

    /// <summary>A string has no escapes: one that holds a quote stands in the other kind of quotes (it cannot hold both).</summary>
    private static string Quoted(string value) => value.Contains('\'') ? $"\"{value}\"" : $"'{value}'";

    public sealed record Everything(bool Global) : SelectorNode
    {
        public override bool Matches(IReadOnlyDictionary<string, string> labels) => true;
        public override bool MentionsGlobal => Global;
        public override SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global) => (Global ? global : all) ?? this;
        public override string ToString() => Global ? "global()" : "all()";
    }

    public sealed record Has(string Label) : SelectorNode
    {
        public override bool Matches(IReadOnlyDictionary<string, string> labels) => labels.ContainsKey(Label);
        public override SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global) => new Has(prefix + Label);
        public override string ToString() => $"has({Label})";
    }

    /// <summary>Equal, contains, starts with, ends with: false without the label.</summary>
    public sealed record Compare(string Label, Comparison How, string Value) : SelectorNode
    {
        public override bool Matches(IReadOnlyDictionary<string, string> labels) => labels.TryGetValue(Label, out var value) && How switch
        {
            Comparison.Equal => value == Value,
            Comparison.Contains => value.Contains(Value, StringComparison.Ordinal),
            Comparison.StartsWith => value.StartsWith(Value, StringComparison.Ordinal),
            _ => value.EndsWith(Value, StringComparison.Ordinal),
        };


        public override SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global) =>
            this with { Label = prefix + Label };

        public override string ToString() => $"{Label} {Word(How)} {Quoted(Value)}";

        private static string Word(Comparison how) => how switch
        {
            Comparison.Equal => "==",
            Comparison.Contains => "contains",
            Comparison.StartsWith => "starts with",
            _ => "ends with",
        };
    }

    /// <summary>True without the label.</summary>
    public sealed record NotEqual(string Label, string Value) : SelectorNode
    {
        public override bool Matches(IReadOnlyDictionary<string, string> labels) =>
            !labels.TryGetValue(Label, out var value) || value != Value;

        public override SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global) =>
            this with { Label = prefix + Label };

        public override string ToString() => $"{Label} != {Quoted(Value)}";
    }

    /// <param name="Values">Sorted, each once.</param>
    public sealed record In(string Label, bool Negated, ListOf<string> Values) : SelectorNode
    {
        /// <summary>Without the label: <c>in</c> is false, <c>not in</c> true.</summary>
        public override bool Matches(IReadOnlyDictionary<string, string> labels) =>
            Negated != (labels.TryGetValue(Label, out var value) && Values.Items.BinarySearch(value, StringComparer.Ordinal) >= 0);


        public override SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global) =>
            this with { Label = prefix + Label };

        public override string ToString() => $"{Label} {(Negated ? "not in" : "in")} {{{string.Join(", ", Values.Select(Quoted))}}}";
    }

    public sealed record Not(SelectorNode Of) : SelectorNode
    {
        public override bool Matches(IReadOnlyDictionary<string, string> labels) => !Of.Matches(labels);
        public override bool MentionsGlobal => Of.MentionsGlobal;

        public override SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global) =>
            new Not(Of.Prefixed(prefix, all, global));

        public override string ToString() => $"!{Of}";
    }

    public sealed record And(ListOf<SelectorNode> Of) : SelectorNode
    {
        public override bool Matches(IReadOnlyDictionary<string, string> labels)
        {
            foreach (var node in Of.Items)
                if (!node.Matches(labels)) return false;
            return true;
        }

        public override bool MentionsGlobal => Of.Any(node => node.MentionsGlobal);

        public override SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global) =>
            new And(Prefixed(Of, prefix, all, global));

        public override string ToString() => $"({string.Join(" && ", Of)})";
    }

    public sealed record Or(ListOf<SelectorNode> Of) : SelectorNode
    {
        public override bool Matches(IReadOnlyDictionary<string, string> labels)
        {
            foreach (var node in Of.Items)
                if (node.Matches(labels)) return true;
            return false;
        }

        public override bool MentionsGlobal => Of.Any(node => node.MentionsGlobal);

        public override SelectorNode Prefixed(string prefix, SelectorNode? all, SelectorNode? global) =>
            new Or(Prefixed(Of, prefix, all, global));

        public override string ToString() => $"({string.Join(" || ", Of)})";
    }
}

internal enum Comparison : byte { Equal, Contains, StartsWith, EndsWith }
