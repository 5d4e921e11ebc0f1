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

/// <summary>One that was read, by the name that the kernel knows it by.</summary>
public sealed class TrackedConnection
{
    internal TrackedConnection(Connection connection, ConnectionName name) => (Connection, Name) = (connection, name);

    public Connection Connection { get; }
    internal ConnectionName Name { get; }
}
