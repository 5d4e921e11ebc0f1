using System.Numerics;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>What a gateway is.</summary>
public enum EgressMode : byte
{
    /// <summary>Each replica of an EgressGateway is a node.</summary>
    Node,

    /// <summary>Pods that annotations and policies select are.</summary>
    Pods,
}

/// <summary><c>egress</c> of bgpd.yaml: what no resource of Calico's says of gateways.</summary>
public sealed record EgressSettings
{
    public const uint DefaultMarkMask = 0xfff00000;
    public static readonly TimeSpan DefaultProbeInterval = TimeSpan.FromMilliseconds(100);
    public const int DefaultProbeMultiplier = 3;
    public const ushort DefaultReplicationPort = 3780;

    public bool Enabled { get; init; }

    public EgressMode Mode { get; init; }

    /// <summary>Bits of the packet mark, without gaps, by which packets are led to gateways.</summary>
    public uint MarkMask { get; init; } = DefaultMarkMask;

    /// <summary>A gateway has one address, which is at the first of its nodes that is there.</summary>
    public bool Pinned { get; init; }

    /// <summary>Whoever has a pinned address gives its flows to the gateway's other nodes.</summary>
    public bool ReplicateFlows { get; init; }

    /// <summary>Of TCP, at which nodes ask each other for flows.</summary>
    public ushort ReplicationPort { get; init; } = DefaultReplicationPort;

    /// <summary>The gateway's node logs each flow that leaves by it.</summary>
    public bool FlowLog { get; init; }

    /// <summary>How often nodes and gateways hear of each other (BFD), and how many times may be missed.</summary>
    public TimeSpan ProbeInterval { get; init; } = DefaultProbeInterval;
    public int ProbeMultiplier { get; init; } = DefaultProbeMultiplier;

    /// <summary>
    /// For how long a gateway is used whose daemon is not heard, but whose node answers for itself: as long as its routers keep its routes
    /// over a restart. Zero: it is lost when it is not heard.
    /// </summary>
    public TimeSpan RestartTime { get; init; }

    /// <summary>Bits that policy uses, too, of its own mask; 0: none.</summary>
    public uint SharedWith(PolicySettings? policy)
    {
        if (policy is not { Enabled: true }) return 0;
        var marks = Policies.PolicyMarks.Of(policy.MarkMask);
        return (marks.Early | marks.Pass) & MarkMask;
    }
}

/// <summary>
/// What the mark of a packet says: its highest bit that this node is the gateway that it leaves by, the next one that others are, and the
/// rest by which way to them.
/// </summary>
internal readonly record struct EgressMarks(uint Mask)
{
    public uint Here => 1u << BitOperations.Log2(Mask);
    public uint Away => Here >> 1;

    /// <summary>Of a packet for a gateway one of them is there; of a question to targets upstream of one both are.</summary>
    public uint Both => Here | Away;

    /// <summary>Of a connection, not of a packet: its pod leaves by another way now (<see cref="MovedConnections"/>).</summary>
    public uint Ended => Both;

    /// <summary>Of a connection, too: it was begun by a pod to outside of the cluster, which need not be looked up again.</summary>
    public uint Outside => Here;

    /// <summary>Of a connection, too: what was seen of it first was from its middle (<see cref="EgressRenderer"/>). No way has the
    /// number 0.</summary>
    public uint PickedUp => Away;

    /// <summary>Each way has a table; that many more numbers are nobody else's.</summary>
    public const int MostTables = ExternalNetwork.MostWays;

    /// <summary>How many ways there can be.</summary>
    public int Most => Math.Min(MostTables, (int)((Away - 1) >> BitOperations.TrailingZeroCount(Mask)));

    /// <summary>By these bits ways are dealt into shares: the lowest of their numbers, in which they differ most.</summary>
    public uint Shares => Mask & (0xfu << BitOperations.TrailingZeroCount(Mask)) & ~Both;

    public uint ShareOf(uint mark) => (mark & Shares) >> BitOperations.TrailingZeroCount(Mask);

    /// <summary>This node is the gateway, and another table than the node's has its routes.</summary>
    /// <param name="network">From 1 to <see cref="Most"/>.</param>
    public uint By(int network) => Here | (uint)network << BitOperations.TrailingZeroCount(Mask);

    /// <summary>What asks targets upstream of a gateway that is this node.</summary>
    /// <param name="nth">From 1 to <see cref="Most"/>.</param>
    public uint Asking(int nth) => Both | (uint)nth << BitOperations.TrailingZeroCount(Mask);

    /// <param name="way">From 1 to <see cref="Most"/>.</param>
    public uint To(int way) => Away | (uint)way << BitOperations.TrailingZeroCount(Mask);
}
