using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>Reads canonical octets: what filters match and what <c>show route all</c> prints. Allocates only where it returns lists or text.</summary>
public readonly ref struct AttributeView(ReadOnlySpan<byte> canonical)
{
    private readonly ReadOnlySpan<byte> octets = canonical;

    /// <summary>The attribute's value, or false where it is absent.</summary>
    public bool TryGet(AttributeType type, out ReadOnlySpan<byte> value) => throw new NotImplementedException(octets.Length.ToString());

    public AsPathView AsPath => throw new NotImplementedException();
    public bool HasCommunity(Community community) => throw new NotImplementedException();
    public IReadOnlyList<Community> Communities => throw new NotImplementedException();
    public IReadOnlyList<LargeCommunity> LargeCommunities => throw new NotImplementedException();
    public IReadOnlyList<ExtendedCommunity> ExtendedCommunities => throw new NotImplementedException();
    public IReadOnlyList<RouterId> ClusterList => throw new NotImplementedException();
    public (Asn As, RouterId Id)? Aggregator => throw new NotImplementedException();
    public uint? Otc => throw new NotImplementedException();
    public ulong? Aigp => throw new NotImplementedException();
    /// <summary>The global next hop and, of 32 octets, the link-local one.</summary>
    public (Address? Global, Address? LinkLocal) NextHop => throw new NotImplementedException();

    /// <summary>Calculates the summary that belongs to these octets.</summary>
    public AttributeSummary Summarize() => throw new NotImplementedException();
}

/// <summary>An AS_PATH value with four-octet numbers.</summary>
public readonly ref struct AsPathView(ReadOnlySpan<byte> value)
{
    private readonly ReadOnlySpan<byte> octets = value;

    /// <summary>As the decision counts it: a set is 1, confederation segments are 0.</summary>
    public int Length => throw new NotImplementedException(octets.Length.ToString());
    public int CountOf(Asn asn) => throw new NotImplementedException();
    public Asn? First => throw new NotImplementedException();
    public Asn? Last => throw new NotImplementedException();
    /// <summary>As BIRD writes it: <c>65001 65002 {64512 64513}</c>, confederation segments in ( ) and [ ].</summary>
    public override string ToString() => throw new NotImplementedException();
}
