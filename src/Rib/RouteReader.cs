using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>Copies routes out of the tables for those who look in, one slice a call.</summary>
internal sealed class RouteReader(LocRib rib, IReadOnlyList<ExportGroup> groups, AttributeInterner attributes)
{
    private const int PrefixesPerSlice = 8192, RoutesPerAnswer = 1024;
    private readonly List<RouteFacts> facts = [];

    /// <param name="resume">Called once the reader has room again.</param>
    /// <returns>False: the reader is slower than we are; nothing was done.</returns>
    public bool Advance(RouteRead reading, Action resume, out bool isDone)
    {
        isDone = false;
        var writer = reading.Answers.Writer;
        var room = writer.WaitToWriteAsync();
        if (!room.IsCompleted)
        {
            if (!reading.IsWaiting)
            {
                reading.IsWaiting = true;
                room.AsTask().ContinueWith(
                    _ =>
                    {
                        reading.IsWaiting = false;
                        resume();
                    },
                    TaskScheduler.Default);
            }
            return false;
        }
        Collect(reading);
        if (facts.Count > 0) writer.TryWrite(facts.ToArray());
        isDone = reading.Request.Scope is ReadScope.Exact or ReadScope.Longest || reading.Cursor >= rib.Table.End;
        if (isDone) writer.TryComplete();
        return true;
    }

    private void Collect(RouteRead reading)
    {
        var request = reading.Request;
        if (request.Scope == ReadScope.Exact) Describe(rib.Table.Find(request.Prefix), request);
        else if (request.Scope == ReadScope.Longest) DescribeLongest(request);
        else
        {
            var end = Math.Min(rib.Table.End, reading.Cursor + PrefixesPerSlice);
            for (; reading.Cursor < end && facts.Count < RoutesPerAnswer; reading.Cursor++)
            {
                if (!rib.Table.IsUsed(reading.Cursor)) continue;
                if (request.Scope == ReadScope.Inside && !request.Prefix.Contains(rib.Table[reading.Cursor])) continue;
                Describe(reading.Cursor, request);
            }
        }
    }

    private void DescribeLongest(RouteRequest request)
    {
        for (var length = (int)request.Prefix.Length; length >= 0 && facts.Count == 0; length--)
            Describe(rib.Table.Find(new Prefix(request.Prefix.Address, length)), request);
    }

    private void Describe(uint node, RouteRequest request)
    {
        if (node == 0) return;
        if (request.Side is RouteSide.Sent or RouteSide.Offered or RouteSide.Withheld) DescribeOutbound(node, request);
        else DescribePaths(node, request);
    }

    private void DescribePaths(uint node, RouteRequest request)
    {
        var isFirst = true;
        var sharing = rib.Settings.MultipathLimit > 1 && rib.First(node) != 0 ? Multipath.Sharing(rib, attributes, node).ToHashSet() : [];
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
        {
            ref var path = ref rib.Paths[at];
            if (!IsWanted(node, at, request)) continue;
            var handle = request.Side == RouteSide.Received || path.Accepted == 0 ? path.Received : path.Accepted;
            Add(node, ref isFirst, path, handle, at == rib.First(node) && rib.IsEligible(node, path), sharing.Contains(at), ReasonFor(node, at));
        }
    }

    private bool IsWanted(uint node, uint at, RouteRequest request)
    {
        ref var path = ref rib.Paths[at];
        if (request.Source is { } source && path.Peer != source) return false;
        return request.Side switch
        {
            RouteSide.Refused => path.Accepted == 0,
            RouteSide.Received => request.Peer is not { } peer || path.Peer == peer,
            RouteSide.Best => at == rib.First(node) && rib.IsEligible(node, path),
            _ => path.Accepted != 0,
        };
    }

    /// <summary>For the best path: the step by which it beat the runner-up; for any other: the step that it lost by.</summary>
    private Reason ReasonFor(uint node, uint at)
    {
        if (rib.Paths[at].Accepted == 0) return Reason.Rejected;
        if (!rib.IsEligible(node, rib.Paths[at])) return Reason.NextHopUnresolvable;
        var first = rib.First(node);
        if (at != first) return Compare(node, first, at);
        var closest = Reason.OnlyRoute;
        for (var other = rib.Paths[first].Next; other != 0; other = rib.Paths[other].Next)
            if (rib.IsEligible(node, rib.Paths[other]) && Compare(node, first, other) is var reason && reason > closest) closest = reason;
        return closest;
    }

    private Reason Compare(uint node, uint best, uint other)
    {
        Decision.Compare(rib.CandidateOf(node, best), rib.CandidateOf(node, other), rib.Settings, withMed: true, out var reason);
        return reason;
    }

    private void DescribeOutbound(uint node, RouteRequest request)
    {
        var isFirst = true;
        if (request.Peer is not { } peer)
        {
            foreach (var each in groups)
                foreach (var receiver in each.Receivers) DescribeOutbound(node, request, each, receiver, ref isFirst);
        }
        else if (groups.FirstOrDefault(group => group.MemberOf(peer) != null) is { } group)
        {
            DescribeOutbound(node, request, group, peer, ref isFirst);
        }
    }

    private void DescribeOutbound(uint node, RouteRequest request, ExportGroup group, ushort to, ref bool isFirst)
    {
        if (request.Side != RouteSide.Sent) DescribeOutbound(node, request, group, to, rib.BestOf(node), 0, ref isFirst);
        else
            foreach (var (told, pathId) in group.ToldOf(node)) DescribeOutbound(node, request, group, to, told, pathId, ref isFirst);
    }

    private void DescribeOutbound(uint node, RouteRequest request, ExportGroup group, ushort to, Best best, uint pathId, ref bool isFirst)
    {
        var sent = request.Side == RouteSide.Sent;
        if (best.Attributes == 0 || best.Peer == to || (request.Source is { } source && best.Peer != source)) return;
        var leaving = group.Explain(node, best, out var octets);
        var wanted = request.Side switch
        {
            RouteSide.Sent => leaving >= Leaving.Passed,
            RouteSide.Withheld => leaving == Leaving.Filtered,
            _ => leaving != Leaving.Barred,
        };
        if (!wanted) return;
        var path = new PathRow { Cycle = rib.CycleOf(best.Peer) };
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
            if (rib.Paths[at].Peer == best.Peer) path = rib.Paths[at];
        path = path with { Accepted = best.Attributes, Received = best.Attributes, Peer = best.Peer, PathId = pathId };
        Add(node, ref isFirst, path, best.Attributes, best == rib.BestOf(node), shares: false, Reason.OnlyRoute);
        facts[^1] = facts[^1] with { To = to };
        if (sent) facts[^1] = facts[^1] with { Attributes = octets.ToArray(), Summary = new AttributeView(octets).Summarize() };
    }

    private void Add(uint node, ref bool isFirst, in PathRow path, uint handle, bool best, bool shares, Reason reason)
    {
        ref var row = ref attributes[handle];
        facts.Add(new(
            rib.Table[node], isFirst, path.Peer, path.Changed, path.PathId, best, shares, path.Accepted == 0, reason, rib.NextHopOf(node, path),
            attributes.OctetsOf(handle).ToArray(), row.Summary)
        {
            State = rib.StateOf(path),
        });
        isFirst = false;
    }
}
