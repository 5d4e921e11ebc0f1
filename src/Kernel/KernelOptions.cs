namespace Calico.Bgp.Kernel;

/// <summary>What is ours in the kernel, and how much room the kernel gets to tell us what is not.</summary>
public sealed record KernelOptions
{
    /// <summary>rtm_protocol: the mark by which own routes are known again after a restart.</summary>
    public byte Protocol { get; init; } = 12;
    /// <summary>The table whose own routes are adopted and swept, and whose foreign routes are shown.</summary>
    public uint Table { get; init; } = 254;
    /// <summary>False: the speaker's wishes are dropped, and what an earlier run left stays (until a flush).</summary>
    public bool InstallRoutes { get; init; } = true;
    /// <summary>Nothing is written before <see cref="KernelLoop.BeginWriting"/>: another process still does.</summary>
    public bool IsHeld { get; init; }
    /// <summary>Octets of notifications that may wait in the kernel before it drops some, and we read everything anew.</summary>
    public int WatchBuffer { get; init; } = 32 << 20;
}
