using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel;

/// <summary>What the kernel's loop is asked for, beside wishes.</summary>
internal abstract record KernelQuestion
{
    /// <summary>Answered when all that was wished for before has been written, or refused.</summary>
    public record Settle(TaskCompletionSource Reached) : KernelQuestion;
    /// <summary>What an earlier run left, and its owner has not wished for, goes first.</summary>
    public sealed record Sweep(OwnerRoutes? Of, TaskCompletionSource Reached) : Settle(Reached);
    /// <summary>All routes of an owner go first; null: of all.</summary>
    public sealed record Flush(OwnerRoutes? Of, TaskCompletionSource Reached) : Settle(Reached);
    /// <summary>Somebody wants routes in a table of his own, or beside others.</summary>
    public sealed record Claim(string Owner, uint Table, TaskCompletionSource<OwnerRoutes> Claimed) : KernelQuestion;
    /// <summary>What is there of ours in tables that nobody has claimed.</summary>
    public sealed record Left(TaskCompletionSource<ImmutableArray<LeftRoute>> Found) : KernelQuestion;
    /// <summary>Somebody wants rules or next hops.</summary>
    public sealed record ClaimObjects(string Owner, TaskCompletionSource<OwnerObjects> Claimed) : KernelQuestion;
    /// <summary>This, and nothing else of this owner's, shall be.</summary>
    public sealed record Want(OwnerObjects Of, IReadOnlyCollection<KernelObject> All, TaskCompletionSource Reached) : Settle(Reached);
    /// <summary>Own routes from a row on: some of them, and the row to go on from; 0: there are no more of this owner's.</summary>
    public sealed record Rows(int Owner, IpFamily Family, uint From, TaskCompletionSource<RowSlice> Slice) : KernelQuestion;
}

/// <param name="Owners">How many owners there are.</param>
internal readonly record struct RowSlice(List<OwnRoute> Routes, uint Next, int Owners);
