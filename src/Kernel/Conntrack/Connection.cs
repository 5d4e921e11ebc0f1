using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Conntrack;

/// <summary>A connection that the kernel tracks, as it was before any translation.</summary>
/// <param name="SourceTranslated">Its packets leave with another source.</param>
public sealed record Connection(Address Source, Address Destination, byte Protocol, bool SourceTranslated)
{
    /// <summary>Who answers: its destination behind any service.</summary>
    public Address Server { get; init; } = Destination;
    public ushort? SourcePort { get; init; }
    /// <summary>The port that it was sent to, before any translation.</summary>
    public ushort? DestinationPort { get; init; }
    /// <summary>Of who answers.</summary>
    public ushort? ServerPort { get; init; }
    public byte? IcmpType { get; init; }
    public byte? IcmpCode { get; init; }
    /// <summary>Another one has announced it (a helper's): the first packet of its own says little of it.</summary>
    public bool IsExpected { get; init; }
}

/// <summary>What one direction of a connection has carried.</summary>
public readonly record struct ConnectionCount(ulong Packets, ulong Octets);

/// <summary>How a connection stands.</summary>
/// <param name="Id">A later one with the same addresses and ports has another.</param>
/// <param name="Client">Whom answers are sent to: its source behind any translation.</param>
public sealed record ConnectionState(uint Id, Address Client, ushort? ClientPort)
{
    /// <summary>Of TCP, by its number (enum tcp_conntrack); null: it is of another protocol.</summary>
    public byte? Tcp { get; init; }
    /// <summary>It has been answered.</summary>
    public bool IsAnswered { get; init; }
    /// <summary>It is forgotten then, unless it speaks before.</summary>
    public TimeSpan Left { get; init; }
    /// <summary>Null: the kernel does not note it (net.netfilter.nf_conntrack_timestamp).</summary>
    public DateTimeOffset? Since { get; init; }
    /// <summary>Null: the kernel does not count (net.netfilter.nf_conntrack_acct).</summary>
    public ConnectionCount? Asked { get; init; }
    /// <summary>Null: likewise.</summary>
    public ConnectionCount? Answered { get; init; }
}

/// <summary>One that was read, by the name that the kernel knows it by.</summary>
public sealed class TrackedConnection
{
    internal TrackedConnection(Connection connection, ConnectionName name, ConnectionState? state = null) =>
        (Connection, Name, State) = (connection, name, state);

    public Connection Connection { get; }
    /// <summary>Null: it was not asked for.</summary>
    public ConnectionState? State { get; }
    internal ConnectionName Name { get; }
}
