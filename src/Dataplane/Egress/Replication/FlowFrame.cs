using System.Collections.Immutable;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>What a node says of flows to one that shares gateways with it, over TCP, in this order: who it is, what it holds, all flows
/// of that, and whatever becomes of them.</summary>
internal abstract record FlowFrame
{
    /// <summary>The first word. Another version is another language.</summary>
    public sealed record Hello(byte Version) : FlowFrame;

    /// <summary>Addresses that are at the sender by now: what it says of their flows is so.</summary>
    public sealed record Held(ListOf<Address> Addresses) : FlowFrame;

    /// <summary>From here on to <see cref="Whole"/> all flows of what is held are said once.</summary>
    public sealed record Begin : FlowFrame
    {
        public static readonly Begin It = new();
    }

    /// <summary>Whatever was not said since <see cref="Begin"/> is no flow any more.</summary>
    public sealed record Whole : FlowFrame
    {
        public static readonly Whole It = new();
    }

    public sealed record Flows(ImmutableArray<Flow> All) : FlowFrame;

    /// <summary>They have ended.</summary>
    public sealed record Gone(ImmutableArray<FlowKey> All) : FlowFrame;

    /// <summary>There is nothing to say.</summary>
    public sealed record Alive : FlowFrame
    {
        public static readonly Alive It = new();
    }
}
