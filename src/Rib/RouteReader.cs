using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>Copies routes out of the tables for those who look in, one slice a call.</summary>
internal sealed class RouteReader(
    LocRib rib, Outflow outflow, AttributeInterner attributes, ImportFilter import, PeerTable peers)
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
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
        {
            if (!IsWanted(node, at, request)) continue;
            facts.Add(PathOf(node, at, isFirst, request.Side == RouteSide.Received, judged: rib.Paths[at].Accepted == 0));
            isFirst = false;
        }
    }

    private RouteFacts PathOf(uint node, uint at, bool isFirst, bool received, bool judged)
    {
        ref var path = ref rib.Paths[at];
        return Facts(node, isFirst, path, received || path.Accepted == 0 ? path.Received : path.Accepted) with
        {
            Best = at == rib.First(node) && rib.IsEligible(node, path),
            StandsFirst = at == rib.First(node),
            Sharing = Multipath.Of(rib, attributes, node, at),
            Weight = path.Accepted == 0 ? 1 : Multipath.WeightOf(rib, attributes, node, at),
            Reason = rib.ReasonOf(node, at),
            Verdict = judged ? VerdictOf(node, path) : null,
            IsLastChoice = judged && ImportDoor.LowersPreference(peers[path.Peer], attributes[path.Received].Summary),
        };
    }

    private Verdict VerdictOf(uint node, in PathRow path)
    {
        var verdict = import.Judge(peers[path.Peer], path.Received, rib.Table[node], rib.Family);
        var isBarred = verdict.IsAccepted && peers.Cycle(path.Peer, rib.Family).IsLongStale(path.Cycle)
            && ImportDoor.ForbidsLongStale(attributes[path.Received].Summary);
        return isBarred ? Verdict.Against(RouteRule.NoLongStale) : verdict;
    }

    /// <summary>Everything about one prefix.</summary>
    public PrefixFacts Explain(Prefix prefix)
    {
        var node = rib.Table.Find(prefix);
        if (node == 0) return new([], [], null);
        var paths = ImmutableArray.CreateBuilder<PathFacts>();
        foreach (var refused in (ReadOnlySpan<bool>)[false, true])
            for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
                if (rib.Paths[at].Accepted == 0 == refused)
                    paths.Add(new(PathOf(node, at, paths.Count == 0, received: false, judged: true), rib.StepsOf(node, rib.Paths[at])));
        var best = rib.BestOf(node);
        if (best.Attributes == 0) return new(paths.ToImmutable(), [], null);
        var exports = ImmutableArray.CreateBuilder<ExportFacts>();
        foreach (var group in outflow.Groups)
            foreach (var peer in group.Receivers)
                exports.Add(new(peer, group.Explain(node, best, peer, out _), group.ToldOf(node).Any(told => IsSent(told.Told, peer))));
        var kernel = outflow.Fib?.Explain(node, best) ?? Verdict.Against(RouteRule.NotInstalled);
        return new(paths.ToImmutable(), exports.ToImmutable(), kernel);

        static bool IsSent(Best sent, ushort to) => sent.Attributes != 0 && sent.Peer != to;
    }

    private bool IsWanted(uint node, uint at, RouteRequest request)
    {
        ref var path = ref rib.Paths[at];
        if (request.Source is { } source && path.Peer != source) return false;
        return request.Side switch
        {
            RouteSide.Refused => path.Accepted == 0,
            RouteSide.Received => path.Peer == request.Peer,
            RouteSide.Best => at == rib.First(node) && rib.IsEligible(node, path),
            _ => path.Accepted != 0,
        };
    }

    private void DescribeOutbound(uint node, RouteRequest request)
    {
        if (request.Peer is not { } peer || outflow.Groups.FirstOrDefault(group => group.MemberOf(peer) != null) is not { } group) return;
        var isFirst = true;
        if (request.Side != RouteSide.Sent) DescribeOutbound(node, request, group, peer, rib.BestOf(node), 0, ref isFirst);
        else
            foreach (var (told, pathId) in group.ToldOf(node)) DescribeOutbound(node, request, group, peer, told, pathId, ref isFirst);
    }

    private void DescribeOutbound(uint node, RouteRequest request, ExportGroup group, ushort to, Best best, uint pathId, ref bool isFirst)
    {
        var sent = request.Side == RouteSide.Sent;
        if (best.Attributes == 0 || best.Peer == to || (request.Source is { } source && best.Peer != source)) return;
        var verdict = group.Explain(node, best, to, out var octets);
        var wanted = request.Side switch
        {
            RouteSide.Sent => verdict.IsAccepted,
            RouteSide.Withheld => !verdict.IsAccepted && verdict.Rule == RouteRule.Filter,
            _ => verdict.IsAccepted || verdict.Rule is RouteRule.Filter or RouteRule.DoesNotFit,
        };
        if (!wanted) return;
        var path = new PathRow { Cycle = rib.CycleOf(best.Peer) };
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
            if (rib.Paths[at].Peer == best.Peer) path = rib.Paths[at];
        path = path with { Accepted = best.Attributes, Received = best.Attributes, Peer = best.Peer, PathId = pathId };
        var route = Facts(node, isFirst, path, best.Attributes) with { Best = best == rib.BestOf(node), Verdict = verdict };
        facts.Add(sent ? route with { Attributes = octets.ToArray(), Summary = new AttributeView(octets).Summarize() } : route);
        isFirst = false;
    }

    private RouteFacts Facts(uint node, bool isFirst, in PathRow path, uint handle) => new()
    {
        Prefix = rib.Table[node],
        First = isFirst,
        Peer = path.Peer,
        Changed = path.Changed,
        PathId = path.PathId,
        Best = false,
        Reason = Reason.OnlyRoute,
        Sharing = Sharing.NotAsked,
        Weight = 1,
        Refused = path.Accepted == 0,
        NextHop = rib.NextHopOf(node, path, out var rule),
        NextHopRule = rule,
        Attributes = attributes.OctetsOf(handle).ToArray(),
        Summary = attributes[handle].Summary,
        State = rib.StateOf(path),
    };
}
