using System.Collections.Immutable;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>A part of our table that the kernel refused, in its words; it is tried again, and the rest is in force.</summary>
/// <param name="Rule">Null: it is none.</param>
public sealed record NftProblem(string Part, int Errno, string Words, DateTimeOffset Since, int Attempts, NftRulePlace? Rule = null);

/// <summary>Where a rule should stand.</summary>
/// <param name="Comment">What the rule says of itself.</param>
/// <param name="IsLastResort">The chain has what is left when nothing else is taken.</param>
public sealed record NftRulePlace(string Chain, string? Comment, bool IsLastResort);

/// <param name="Repairs">How often the table was put right after somebody else had changed it.</param>
/// <param name="Missing">Features that the kernel lacks, by the option it would have to be built with.</param>
public sealed record NftStatus(
    long Transactions, long Readings, long Repairs, ImmutableArray<string> Missing, ImmutableArray<NftProblem> Problems)
{
    /// <summary>When the last one was sent; null: none was.</summary>
    public DateTimeOffset? LastTransaction { get; init; }

    public static readonly NftStatus None = new(0, 0, 0, [], []);
}

/// <summary>What a counter has counted since it was made.</summary>
public readonly record struct NftCount(string Name, ulong Packets, ulong Octets);

/// <summary>Our table of nf_tables as the rest of the daemon sees it.</summary>
public interface INftables
{
    NftStatus Status { get; }

    /// <summary>Somebody else has been at the table, and all that is wanted is in force again; what was in dynamic sets, which are not
    /// read, may be gone. Called on the table's loop; must not block.</summary>
    event Action? Disturbed;

    /// <summary>How its rules can hand packets to a program (<see cref="ActQueue"/>).</summary>
    QueueWay QueueWay { get; }

    /// <summary>
    /// From now on this is wanted, too. All of it comes into force in one transaction; elements of sets that are in force go ahead of
    /// whatever else waits. The first changes of all, and the first after a flush, name all that shall be: what an earlier run has left and
    /// they do not name is swept. Ends when it is so, as far as the kernel takes it; with newer changes together where these come before.
    /// </summary>
    /// <exception cref="ArgumentException">Elements are put into a set that is not wanted: nothing of the changes is taken.</exception>
    Task ApplyAsync(ImmutableArray<NftChange> changes, CancellationToken stop = default);

    /// <summary>Walks a packet through what is wanted, without what the kernel has refused.</summary>
    Task<ImmutableArray<PacketEnd>> WalkAsync(Packet packet, IHostFacts facts, CancellationToken stop = default);

    /// <summary>Walks packets through the same: of which it is sure that it drops them, whatever nobody has said of them.</summary>
    Task<ImmutableArray<bool>> DropsAsync(ImmutableArray<Packet> packets, IHostFacts facts, CancellationToken stop = default);

    /// <summary>
    /// What the counters have counted whose names begin so, as the kernel has it now. One that is wanted and not there yet is not among
    /// them.
    /// </summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel refused to tell.</exception>
    Task<ImmutableArray<NftCount>> CountersAsync(string prefix, CancellationToken stop = default);

    /// <summary>
    /// Which keys these sets have in the kernel by now: before the first changes what an earlier run has left. A set that is not there has
    /// none.
    /// </summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel refused to tell.</exception>
    Task<ImmutableArray<(string Set, NftOctets Key)>> KeysAsync(ImmutableArray<string> sets, CancellationToken stop = default);

    /// <summary>Removes the table and all that is in it.</summary>
    /// <returns>Null, or the kernel's words.</returns>
    Task<string?> FlushAsync(CancellationToken stop = default);
}
