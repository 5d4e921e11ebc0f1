// The judge's own reader of Calico's selectors (reference 2.7), written from the grammar and sharing nothing with the daemon's.
namespace Calico.Bgp.Conformance.Policy;

/// <summary>What labels are asked. All that is said of a label that is not there is false, but what is negated.</summary>
internal abstract record Selector
{
    public static readonly Selector All = new AllLabels(), Global = new GlobalScope();

    public abstract bool Holds(IReadOnlyDictionary<string, string> labels);

    /// <summary>The same of other keys, with what stands for <c>all()</c> and <c>global()</c> there.</summary>
    public virtual Selector With(string prefix, Selector all, Selector global) => this;

    /// <exception cref="FormatException">It is none.</exception>
    public static Selector Parse(string text) => new SelectorReader(text).Read();

    public static Selector Has(string label) => new HasLabel(label);

    public static Selector Is(string label, string value) => new Compared(label, "==", [value]);

    public static Selector IsAmong(string label, IEnumerable<string> values) => new Compared(label, "in", [.. values]);

    public Selector And(Selector other) => new Both(this, other);

    public Selector Or(Selector other) => new Either(this, other);

    public Selector Not() => new Opposite(this);

    /// <param name="label"></param>
    /// <param name="operation">One of <c>==</c>, <c>!=</c>, <c>contains</c>, <c>starts</c>, <c>ends</c>, <c>in</c>, <c>not</c>.</param>
    /// <param name="values">One, but for the sets.</param>
    public static Selector Compare(string label, string operation, string[] values) => new Compared(label, operation, values);

    private sealed record AllLabels : Selector
    {
        public override bool Holds(IReadOnlyDictionary<string, string> labels) => true;
        public override Selector With(string prefix, Selector all, Selector global) => all;
    }

    private sealed record GlobalScope : Selector
    {
        public override bool Holds(IReadOnlyDictionary<string, string> labels) => true;
        public override Selector With(string prefix, Selector all, Selector global) => global;
    }

    private sealed record HasLabel(string Label) : Selector
    {
        public override bool Holds(IReadOnlyDictionary<string, string> labels) => labels.ContainsKey(Label);
        public override Selector With(string prefix, Selector all, Selector global) => new HasLabel(prefix + Label);
    }

    private sealed record Compared(string Label, string Operation, string[] Values) : Selector
    {
        public override bool Holds(IReadOnlyDictionary<string, string> labels)
        {
            var isThere = labels.TryGetValue(Label, out var value);
            return Operation switch
            {
                "==" => isThere && value == Values[0],
                "!=" => !isThere || value != Values[0],
                "in" => isThere && Values.Contains(value),
                "not" => !isThere || !Values.Contains(value),
                "contains" => isThere && value!.Contains(Values[0], StringComparison.Ordinal),
                "starts" => isThere && value!.StartsWith(Values[0], StringComparison.Ordinal),
                _ => isThere && value!.EndsWith(Values[0], StringComparison.Ordinal),
            };
        }

        public override Selector With(string prefix, Selector all, Selector global) => new Compared(prefix + Label, Operation, Values);
    }

    private sealed record Both(Selector Left, Selector Right) : Selector
    {
        public override bool Holds(IReadOnlyDictionary<string, string> labels) => Left.Holds(labels) && Right.Holds(labels);
        public override Selector With(string prefix, Selector all, Selector global) =>
            new Both(Left.With(prefix, all, global), Right.With(prefix, all, global));
    }

    private sealed record Either(Selector Left, Selector Right) : Selector
    {
        public override bool Holds(IReadOnlyDictionary<string, string> labels) => Left.Holds(labels) || Right.Holds(labels);
        public override Selector With(string prefix, Selector all, Selector global) =>
            new Either(Left.With(prefix, all, global), Right.With(prefix, all, global));
    }

    private sealed record Opposite(Selector Inner) : Selector
    {
        public override bool Holds(IReadOnlyDictionary<string, string> labels) => !Inner.Holds(labels);
        public override Selector With(string prefix, Selector all, Selector global) => new Opposite(Inner.With(prefix, all, global));
    }
}
