using System.Net;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bfd;

/// <summary>
/// A session as one process gives it to the one that goes on with it: RFC 5880 section 6.8.1's variables, and what is told of it. What we
/// ask for in time is the configuration's, and what is here of it counts until whoever wants the session has come.
/// </summary>
public sealed record HandedBfd
{
    public required string Peer { get; init; }
    /// <summary>The link's number; 0 for several hops.</summary>
    public required int Interface { get; init; }
    public required bool Multihop { get; init; }

    public required BfdState State { get; init; }
    public required BfdDiagnostic Diagnostic { get; init; }
    public required BfdState RemoteState { get; init; }
    public required BfdDiagnostic RemoteDiagnostic { get; init; }
    /// <summary>In hexadecimal digits; an earlier release hears none.</summary>
    public string RemoteRemark { get; init; } = "";
    public required uint LocalDiscriminator { get; init; }
    public required uint RemoteDiscriminator { get; init; }
    public required uint RemoteDesiredMinTx { get; init; }
    public required uint RemoteRequiredMinRx { get; init; }
    public required byte RemoteMultiplier { get; init; }
    public required bool RemoteDemands { get; init; }
    public required bool RemoteIsIndependent { get; init; }
    /// <summary>The intervals in force on our side, in microseconds.</summary>
    public required uint SendInForce { get; init; }
    public required uint ReceiveInForce { get; init; }
    /// <summary>How many of ours may be lost in a row; 0: that release did not say.</summary>
    public int Multiplier { get; init; }

    /// <summary>From which it sends (RFC 5881 section 4: one for all its packets); 0: from none yet.</summary>
    public required int Port { get; init; }
    public required DateTimeOffset Since { get; init; }
    public required int Ups { get; init; }
    public required int Losses { get; init; }
    public BfdLoss? LastLoss { get; init; }

    public bool IsOf(BfdKey key) => IsSensible && Key() == key;

    /// <summary>It has an address and a port, and octets are octets.</summary>
    public bool IsSensible => Address.TryParse(Peer, out _) && Port is >= 0 and <= IPEndPoint.MaxPort
        && RemoteRemark.Length % 2 == 0 && RemoteRemark.All(char.IsAsciiHexDigit);

    internal BfdKey Key() => new(Address.Parse(Peer), Interface, Multihop);
}
