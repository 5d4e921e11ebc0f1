namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A part of our table that the kernel can refuse by itself. Equal by value, so that a refusal holds for the same part later, and ends
/// with a different one. In the order in which they rest on one another: without the table there is no chain, without it no rule.
/// </summary>
internal abstract record NftPart(int Level)
{
    public sealed record Table(string Name) : NftPart(0)
    {
        public override string ToString() => $"table inet {Name}";
    }

    public sealed record Set(string Name) : NftPart(1)
    {
        public override string ToString() => $"set {Name}";
    }

    public sealed record Chain(string Name) : NftPart(1)
    {
        public override string ToString() => $"chain {Name}";
    }

    public sealed record Counter(string Name) : NftPart(1)
    {
        public override string ToString() => $"counter {Name}";
    }

    public sealed record Timeout(string Name) : NftPart(1)
    {
        public override string ToString() => $"ct timeout {Name}";
    }

    public sealed record Element(string Of, NftElement Value) : NftPart(2)
    {
        public override string ToString() => $"element {Value} of set {Of}";
    }

    public sealed record Rule(string In, NftRule Value) : NftPart(3)
    {
        public override string ToString() => $"rule in chain {In}: {Value}";
    }

    /// <summary>Something of ours that is not wanted any more; of a chain its rules, too.</summary>
    public sealed record Removal(NftPart What) : NftPart(4)
    {
        public override string ToString() => $"removal of {What}";
    }
}
