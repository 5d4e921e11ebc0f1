using System.Collections.Immutable;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>A part of our table that the kernel refused, in its words; it is tried again, and the rest is in force.</summary>
public sealed record NftProblem(string Part, int Errno, string Words, DateTimeOffset Since, int Attempts);

/// <param name="Repairs">How often the table was put right after somebody else had changed it.</param>
/// <param name="Missing">Features that the kernel lacks, by the option it would have to be built with.</param>
public sealed record NftStatus(long Transactions, long Readings, long Repairs, ImmutableArray<string> Missing, ImmutableArray<NftProblem> Problems)
{
    public static readonly NftStatus None = new(0, 0, 0, [], []);
}

/// <summary>Our table of nf_tables as the rest of the daemon sees it.</summary>
public interface INftables
{
    NftStatus Status { get; }

    /// <summary>From now on the table shall be so. Ends when it is, as far as the kernel takes it; a newer wish ends the older one with it.</summary>
    Task ApplyAsync(NftTable table, CancellationToken stop = default);

    /// <summary>Removes the table and all that is in it.</summary>
    /// <returns>Null, or the kernel's words.</returns>
    Task<string?> FlushAsync(CancellationToken stop = default);
}
