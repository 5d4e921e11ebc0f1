using System.Collections.Immutable;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>
/// Other nodes' flows in this node's kernel: what is known of them is there, and nowhere else. But of this node's own pods, whose packets
/// go on to the other node as they are: theirs wait here, and take the place of what the kernel has when the address comes here. While the
/// address is here nobody changes what is there, and what still comes from who had it before is added.
/// </summary>
internal sealed class FlowCopies(ConnectionTable table, TimeProvider clock)
{
    /// <summary>
    /// For so many seconds at least a copy is kept: whoever has the flow says nothing of it while it speaks, and tells of those that would
    /// be forgotten before more often than that.
    /// </summary>
    public const uint LeastLeft = 300;

    /// <summary>Flows of this node's pods that wait.</summary>
    private const int MostWaiting = 1 << 16;

    /// <summary>For so long, after an address has gone, somebody may still send by this node what the other has not heard of.</summary>
    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(10);

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private readonly Lock alone = new();
    private readonly Dictionary<FlowKey, Flow> waiting = [];
    private readonly Dictionary<Address, long> lost = [];
    private volatile ReplicationPlan? plan;

    /// <summary>What is taken from now on, and how; what comes and goes of addresses has been seen to when it ends.</summary>
    public void Have(ReplicationPlan? newer)
    {
        if (newer == null && plan is { } last)
            Sweep([.. last.Peers.SelectMany(peer => peer.Shared).Distinct()], new HashSet<FlowKey>()); // they would stay for days
        var before = plan?.Held ?? [];
        plan = newer;
        if (newer == null) return;
        foreach (var gone in before.Except(newer.Held)) Lose(gone, newer);
        Address[] come = [.. newer.Held.Except(before)];
        lock (alone)
        {
            foreach (var address in come) lost.Remove(address);
            Flow[] own = [.. waiting.Values.Where(one => come.Contains(one.Key.Leaving))];
            foreach (var one in own) waiting.Remove(one.Key);
            table.Exchange(own);
        }
    }

    /// <summary>What this node's pods have begun by it goes on by another, who has it: it goes there as it is.</summary>
    private void Lose(Address address, ReplicationPlan now)
    {
        var own = new List<Flow>();
        table.WalkFlows(address.Family, one =>
        {
            if (one.Key.Leaving == address && now.Local.Value.Contains(one.Key.Source)) own.Add(one);
        });
        lock (alone)
        {
            lost[address] = clock.GetTimestamp();
            foreach (var one in own) Wait(one);
            table.Exchange([.. own.Select(one => one with { Key = one.Key.Untranslated() })]);
        }
    }

    private void Wait(Flow one)
    {
        if (waiting.Count < MostWaiting || waiting.ContainsKey(one.Key)) waiting[one.Key] = one;
    }

    /// <summary>It is a flow of a gateway that is shared with that node, of a pod, to outside.</summary>
    public bool IsTheirs(ReplicationPeer peer, FlowKey key) => plan is { } now && peer.Shared.Contains(key.Leaving)
        && Contains(now.Pools, key.Source) && !Contains(now.Inside, key.Destination);

    private static bool Contains(ListOf<Prefix> nets, Address address)
    {
        foreach (var net in nets)
            if (net.Contains(address)) return true;
        return false;
    }

    /// <param name="flows">All theirs.</param>
    /// <param name="held">What they say that they have.</param>
    /// <returns>How many the kernel has refused, and its error; 0.</returns>
    public (int Refused, int Errno) Put(ImmutableArray<Flow> flows, ListOf<Address> held)
    {
        if (plan is not { } now) return default;
        var local = now.Local.Value;
        List<Flow> certain = [], late = [];
        lock (alone)
        {
            foreach (var told in flows)
            {
                var flow = told with { Left = Math.Max(told.Left, LeastLeft), Mark = told.Mark & ~now.MarkMask };
                var isHere = now.Knows(flow.Key.Leaving);
                if (!local.Contains(flow.Key.Source)) (isHere || !held.Contains(flow.Key.Leaving) ? late : certain).Add(flow);
                else if (!isHere) Wait(flow);
            }
            var (refused, errno) = table.Put(certain, yields: false);
            var (more, last) = table.Put(late, yields: true);
            return refused + more == 0 ? default : (refused + more, last != 0 ? last : errno);
        }
    }

    public void Remove(ImmutableArray<FlowKey> keys)
    {
        if (plan is not { } now) return;
        lock (alone)
        {
            foreach (var key in keys) waiting.Remove(key);
            table.Remove([.. keys.Where(key => !now.Knows(key.Leaving))]);
        }
    }

    /// <summary>Of these addresses no other flows are left than those.</summary>
    /// <returns>The kernel's error where it does not tell what there is; 0.</returns>
    public int Sweep(ListOf<Address> of, IReadOnlySet<FlowKey> but)
    {
        if (plan is not { } now) return 0;
        lock (alone)
        {
            Address[] swept = [.. of.Where(one => !now.Knows(one) && !HadLately(one))];
            foreach (var key in waiting.Keys.Where(key => swept.Contains(key.Leaving) && !but.Contains(key)).ToArray()) waiting.Remove(key);
            var stale = new List<FlowKey>();
            foreach (var family in Families.Where(family => swept.Any(one => one.Family == family)))
                if (table.WalkFlows(family, one =>
                {
                    if (swept.Contains(one.Key.Leaving) && !but.Contains(one.Key)) stale.Add(one.Key);
                }) is var errno and not 0) return errno;
            table.Remove(stale);
            return 0;
        }
    }

    private bool HadLately(Address address) => lost.TryGetValue(address, out var at) && clock.GetElapsedTime(at) < Lately;
}
