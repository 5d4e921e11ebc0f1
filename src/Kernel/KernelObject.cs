using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel;

/// <summary>
/// What we want of the kernel beside routes, and few of: a rule, a next hop, a group of them, an overlay and who is on it. Compared by
/// value; it carries our protocol number in the kernel, as routes do, and is known again by that after a restart.
/// </summary>
public abstract record KernelObject
{
    /// <summary>What the kernel tells it by: of one key there is one.</summary>
    internal abstract object Key { get; }

    /// <summary>In which order they lean on one another: overlays, who is on them, next hops, groups, (routes), rules.</summary>
    internal abstract int Level { get; }

    /// <summary>What leads packets to routes comes behind them, and goes before them.</summary>
    internal const int BehindRoutes = 2;

    internal abstract NetlinkMessage New(byte protocol, bool replace);

    internal abstract NetlinkMessage Delete(byte protocol);

    /// <summary>What no message says of it, once it has been made.</summary>
    /// <returns>Why it cannot be done; null: it is.</returns>
    internal virtual string? Tune() => null;
}

/// <summary>An object that the kernel refused, in its words; it is tried again.</summary>
public sealed record ObjectRefusal(KernelObject Object, string Owner, int Errno, string Words, DateTimeOffset Since, int Attempts);

/// <summary>Rules and next hops of one owner.</summary>
public interface IObjectClaim
{
    string Owner { get; }

    /// <summary>This, and nothing else of this owner's, shall be. Ends when it is, as far as the kernel takes it.</summary>
    ValueTask WantAsync(IReadOnlyCollection<KernelObject> all, CancellationToken stop = default);
}

/// <summary>Where owners say which rules and next hops they want.</summary>
public interface IKernelObjects
{
    /// <summary>
    /// The same owner again is the same claim. What an earlier run has left goes when all that have claimed have said what they want; so
    /// all claim before the first does.
    /// </summary>
    ValueTask<IObjectClaim> ClaimObjectsAsync(string owner, CancellationToken stop = default);
}
