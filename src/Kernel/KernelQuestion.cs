using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel;

/// <summary>What the kernel's loop is asked for, beside wishes.</summary>
internal abstract record KernelQuestion
{
    /// <summary>Answered when all that was wished for before has been written, or refused.</summary>
    public record Settle(TaskCompletionSource Reached) : KernelQuestion;
    /// <summary>What an earlier run left, and nobody has wished for, goes first.</summary>
    public sealed record Sweep(TaskCompletionSource Reached) : Settle(Reached);
    /// <summary>All own routes go first.</summary>
    public sealed record Flush(TaskCompletionSource Reached) : Settle(Reached);
    /// <summary>Own routes from a row on: some of them, and the row to go on from; 0: there are no more.</summary>
    public sealed record Rows(IpFamily Family, uint From, TaskCompletionSource<(List<OwnRoute> Routes, uint Next)> Slice) : KernelQuestion;
}
