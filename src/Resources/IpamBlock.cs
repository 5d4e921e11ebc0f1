using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>Who holds an address. <paramref name="Secondary"/>: pod, namespace, node, type… as IPAM wrote them.</summary>
public sealed record IpamAttributes(string? HandleId, Labels Secondary)
{
    /// <summary>The same of whom it is on its way to: a virtual machine that moves holds its address on two nodes for a moment.</summary>
    public Labels Alternate { get; init; } = Labels.Empty;

    /// <summary>The nodes that it may be announced from.</summary>
    public IEnumerable<string> Nodes
    {
        get
        {
            if (Secondary.TryGetValue("node", out var node)) yield return node;
            if (Alternate.TryGetValue("node", out var other)) yield return other;
        }
    }
}

/// <param name="Name">The node, or the virtual owner (<c>load-balancer</c>).</param>
public sealed record IpamOwner(AffinityType Type, string Name);

/// <summary>
/// IPAMBlock: which addresses of a block are taken, and by whom. Read to judge what other nodes announce, and to explain; it decides
/// nothing of what this node announces.
/// </summary>
public sealed record IpamBlock(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.IpamBlock;

    public required Prefix Cidr { get; init; }
    public IpamOwner? Affinity { get; init; }
    /// <summary>For each ordinal, an index of <see cref="Attributes"/>; null: free.</summary>
    public ListOf<int?> Allocations { get; init; }
    public ListOf<IpamAttributes> Attributes { get; init; }
    public bool StrictAffinity { get; init; }
    public bool Deleted { get; init; }

    /// <summary>Who holds this address; null: nobody, or it is of another block.</summary>
    public IpamAttributes? Holder(Address address)
    {
        if (!Cidr.Contains(address)) return null;
        var ordinal = (int)UInt128.Min((address.Bits - Cidr.Address.Bits) >> (128 - address.Family.Bits()), int.MaxValue);
        return ordinal < Allocations.Count ? Held(ordinal) : null;
    }

    public IpamAttributes? Held(int ordinal) =>
        Allocations[ordinal] is { } index && index < Attributes.Count ? Attributes[index] : null;

    /// <summary>The address of an ordinal, as a network of its own.</summary>
    public Prefix AddressAt(int ordinal)
    {
        var bits = Cidr.Family.Bits();
        return new(new(Cidr.Address.Bits + ((UInt128)ordinal << (128 - bits)), Cidr.Family), bits);
    }
}
