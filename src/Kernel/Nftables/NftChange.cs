using System.Collections.Immutable;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// One change of what is wanted of our table: a part, by its name. What compares equal to what is wanted already costs nothing.
/// </summary>
public abstract record NftChange
{
    /// <summary>The set shall be, with these elements and no others; a dynamic one with these and whatever else it has.</summary>
    public sealed record PutSet(NftSet Set) : NftChange;

    /// <summary>The chain shall be, with these rules and no others.</summary>
    public sealed record PutChain(NftChain Chain) : NftChange;

    /// <summary>The set shall have these, too; where it is a map and leads elsewhere by one of their keys, it does so no longer.</summary>
    public sealed record PutElements(string Set, ImmutableArray<NftElement> Elements) : NftChange;

    /// <summary>The set shall not have these; only the keys count.</summary>
    public sealed record RemoveElements(string Set, ImmutableArray<NftElement> Elements) : NftChange;

    /// <summary>The counter shall be, whatever it has counted; rules count by it (<see cref="ActCountBy"/>).</summary>
    public sealed record PutCounter(string Name) : NftChange;

    public sealed record RemoveCounter(string Name) : NftChange;

    /// <summary>The timeouts shall be; rules give them to connections (<see cref="ActTimeout"/>).</summary>
    public sealed record PutTimeout(NftTimeout Timeout) : NftChange;

    public sealed record RemoveTimeout(string Name) : NftChange;

    public sealed record RemoveSet(string Name) : NftChange;

    public sealed record RemoveChain(string Name) : NftChange;
}
