using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>A connection whose packets leave with another source, by all of its ends: with another translation it is another.</summary>
/// <param name="SourcePort">Of an echo its id.</param>
/// <param name="DestinationPort">Of an echo 0.</param>
/// <param name="Leaving">The source that it leaves with.</param>
public readonly record struct FlowKey(
    byte Protocol, Address Source, ushort SourcePort, Address Destination, ushort DestinationPort, Address Leaving, ushort LeavingPort)
{
    public IpFamily Family => Source.Family;

    /// <summary>The same as its client sends it, with nothing translated.</summary>
    public FlowKey Untranslated() => this with { Leaving = Source, LeavingPort = SourcePort };

    internal bool IsTranslated => Leaving != Source || LeavingPort != SourcePort;
}

/// <summary>One as another kernel can go on with it.</summary>
/// <param name="Tcp">Its state (enum tcp_conntrack); 0: it is of another protocol.</param>
/// <param name="IsAnswered">It has been answered.</param>
/// <param name="IsAssured">It has lasted: the kernel does not forget it for want of room.</param>
/// <param name="Left">After so many seconds it is forgotten, unless it speaks before.</param>
/// <param name="Mark">Of the connection.</param>
public readonly record struct Flow(FlowKey Key, byte Tcp, bool IsAnswered, bool IsAssured, uint Left, uint Mark)
{
    public const byte TcpEstablished = 3, TcpTimeWait = 7, TcpClose = 8;

    /// <summary>It says of its state what the other says.</summary>
    internal bool StandsAs(Flow other) =>
        (Tcp, IsAnswered, IsAssured, Mark) == (other.Tcp, other.IsAnswered, other.IsAssured, other.Mark);
}

public enum FlowTurn : byte
{
    /// <summary>Its first packet has passed.</summary>
    Begun,
    /// <summary>It stands otherwise than before.</summary>
    Changed,
    /// <summary>The kernel has forgotten it.</summary>
    Ended,
}

/// <summary>What the kernel tells of one.</summary>
public readonly record struct FlowNews(FlowTurn Turn, Flow Flow);
