using System.Collections.Immutable;
using System.Text;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>What is wanted of nftables whichever pods there are: networks, and what stands in the shared chains.</summary>
internal sealed record EgressRules(
    ImmutableArray<NftSet> Sets, ImmutableArray<NftRule> Translated, ImmutableArray<NftRule> Leaving, ImmutableArray<NftRule> Left)
{
    public static readonly EgressRules None = new([], [], [], []);

    /// <summary>Before anything else is asked.</summary>
    public ImmutableArray<NftRule> Entering { get; init; } = [];
}

/// <summary>
/// Classes → rules. Behind the translation of destinations, before routing, a pod's address leads to its class, whose chain marks packets
/// by their destinations: for a way to other nodes, which <c>ip rule</c> takes to that way's table, or for this node as the gateway. What
/// is marked is never masqueraded; what this node is the gateway of leaves with the gateway's address, or not at all. From other nodes'
/// pods comes only what this node is the gateway of. Whoever is not known does not leave.
/// </summary>
/// <param name="numbers">The ways to other nodes, by their words.</param>
/// <param name="networks">Tables of external networks by which this node's gateways send, as words.</param>
internal sealed class EgressRenderer(
    string node, EgressMarks marks, EgressHere here, IReadOnlyDictionary<string, int> numbers, IReadOnlyDictionary<string, int> networks,
    EgressProbes probes)
{
    private const string Prefix = Egress.FeatureName + "-", From = "from", Out = "out", ToGateway = "as it is, to a gateway",
        AsAnother = "it would leave as somebody else";

    /// <summary>What never leaves a link (RFC 3927, 5771; 4291), neighbour discovery among it.</summary>
    private static readonly ListOf<Prefix> LinkLocal4 =
        [Net.Prefix.Parse("169.254.0.0/16"), Net.Prefix.Parse("224.0.0.0/4"), Net.Prefix.Parse("255.255.255.255/32")];
    private static readonly ListOf<Prefix> LinkLocal6 = [Net.Prefix.Parse("fe80::/10"), Net.Prefix.Parse("ff00::/8")];

    public static ListOf<Prefix> LinkLocal(IpFamily family) => family == IpFamily.IPv4 ? LinkLocal4 : LinkLocal6;

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private readonly Dictionary<string, (EgressClass Of, Func<EgressClassRule, IEnumerable<NftStatement[]>> Acts)> chains = [];

    /// <summary>Classes that are equal are one object.</summary>
    private readonly Dictionary<(string What, EgressClass Of), string> names = new(Same.Instance);

    private static string Digit(IpFamily family) => family == IpFamily.IPv4 ? "4" : "6";
    private static string Inside(IpFamily family) => $"{Prefix}inside{Digit(family)}";
    private static string Pools(IpFamily family) => $"{Prefix}pools{Digit(family)}";
    private static string Own(IpFamily family) => $"{Prefix}own{Digit(family)}";

    public EgressRules Render(EgressPicture picture)
    {
        var own = picture.Own;
        var isGateway = own.Count > 0;
        var byHost = own.Any(replica => replica.ByHost.Count > 0);
        var sets = ImmutableArray.CreateBuilder<NftSet>();
        foreach (var family in Families)
        {
            var type = family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;
            sets.Add(new(Inside(family), [type], true, [.. Nets(picture.Inside.Concat(LinkLocal(family)), family)]));
            if (!byHost) sets.Add(new(Own(family), [type], false, [.. own.SelectMany(replica => replica.Addresses)
                .Where(address => address.Family == family).Distinct().Order().Select(address => NftElement.Of(NftOctets.Of(address)))]));
            if (isGateway) sets.Add(new(Pools(family), [type], true, [.. Nets(picture.Pools, family)]));
        }
        var tunnel = picture.Tunnel == null ? null : new EgressTunnelRules(picture.Tunnel);
        sets.AddRange(tunnel?.Sets ?? []);
        return new(
            sets.ToImmutable(), [.. Translated(picture, isGateway)], [.. probes.Leaving(picture.Nodes), .. Leaving],
            [.. Left(byHost, isGateway), .. tunnel?.Clamps ?? []])
        {
            Entering = [.. tunnel?.Entering ?? []],
        };
    }

    /// <summary>Where a pod's addresses lead; what they lead to is asked of <see cref="Chain"/>.</summary>
    public IEnumerable<EgressPlace> Places(ResourceId id, EgressPod pod, EgressUse use)
    {
        var isLocal = pod.Node == node;
        var isFar = isLocal && use.Class?.Rules.Any(rule => rule.To?.Replicas.Any(here.IsFar) == true) == true;
        foreach (var address in pod.Addresses.Distinct())
        {
            if (use.Blocked != null)
            {
                if (isLocal) yield return new(id, isLocal, address, null, null, IsBlocked: true);
                continue;
            }
            var ways = use.Class?.Rules.Where(rule => rule.To != null && rule.Destination.Family == address.Family).ToArray() ?? [];
            var serves = ways.Any(rule => here.Serves(rule.To!, address.Family));
            NftVerdict? to = isLocal ? ways.Length == 0 ? new(NftVerdictCode.Accept) : Goto(OutChain(use.Class!))
                : serves ? Goto(InChain(use.Class!)) : null;
            var isSource = isLocal ? ways.Any(rule => IsOwn(rule.To, address.Family) || IsOwn(rule.Moved, address.Family)) : serves;
            if (to == null) continue;
            NftVerdict? source = isSource ? Goto(SourceChain(use.Class!)) : null;
            yield return new(id, isLocal, address, to, source, IsBlocked: false) { IsFar = isFar };
        }
    }

    /// <summary>One that a place leads to, as it is by now: while nothing leads there, its rules' ways may get other numbers.</summary>
    public NftChain Chain(string name)
    {
        var (of, acts) = chains[name];
        NftRule[] remembers = name.StartsWith($"{Prefix}{From}-", StringComparison.Ordinal) ? [] : [Remembers];
        return new(name, null, [.. remembers, .. of.Rules.SelectMany(rule => acts(rule).Select(one => Rule(rule, one)))])
        {
            Comment = Comment(of),
        };
    }

    /// <summary>What a rule of ours that decides of a packet's source says; null: it says nothing of that.</summary>
    public static string? Words(PacketStep step) =>
        step.Chain.Name.StartsWith($"{Prefix}{From}-", StringComparison.Ordinal)
            ? $"this node is the gateway that it leaves by: {step.Chain.Comment}"
        : step.Rule.Comment == ToGateway ? "it is handed as it is to the node of a gateway, which translates it" : null;

    /// <summary>What it marks goes by a way.</summary>
    public static bool IsOutChain(NftChain chain) => chain.Name.StartsWith($"{Prefix}{Out}-", StringComparison.Ordinal);

    /// <summary>It has been dropped, because it would not leave with the gateway's address.</summary>
    public static bool IsGuard(PacketStep? step) => step?.Rule.Comment == AsAnother;

    private static NftVerdict Goto(string chain) => new(NftVerdictCode.Goto, chain);

    private static string Named(string what, EgressClass of)
    {
        Span<byte> hash = stackalloc byte[Sha1.Size];
        Sha1.Hash(Encoding.UTF8.GetBytes(EgressPlanner.Words(of)), hash);
        return $"{Prefix}{what}-{Convert.ToHexStringLower(hash)[..12]}";
    }

    /// <summary>Of pods of this node: where what they send to goes.</summary>
    private string OutChain(EgressClass of) => Put(Out, of, rule => rule.To == null ? [[ActDecide.Accept]]
        : [.. rule.Moved == null ? [] : Moving(rule.Moved, rule), By(rule.To, rule.Destination.Family)]);

    private bool IsOwn(EgressWay? way, IpFamily family) => way != null && here.Own(way, family) != null;

    private NftStatement[] By(EgressWay way, IpFamily family) => here.Own(way, family) is { } own ? ByOwn(own)
        : [Mark(MarkOf(way)), ActDecide.Accept];

    private uint MarkOf(EgressWay way) => marks.To(numbers[EgressPlanner.Words(way)]);

    /// <summary>What begins in a maintenance is marked for its life, because what has begun before goes on as it went.</summary>
    private IEnumerable<NftStatement[]> Moving(EgressWay moved, EgressClassRule rule)
    {
        if (!rule.IsOver) yield return [new MatchState(ConnectionStates.New), new ActConnectionMark(~marks.Mask, MarkOf(moved))];
        yield return [new MatchConnectionMark(marks.Mask, MarkOf(moved)), .. By(moved, rule.Destination.Family)];
    }

    /// <summary>Of pods of other nodes: this node is the gateway of it, or it has lost its way.</summary>
    private string InChain(EgressClass of) => Put("in", of, rule => [rule.To == null ? [ActDecide.Accept]
        : OwnOf(rule) is { } own ? ByOwn(own) : [new ActCount(), ActDecide.Drop]]);

    private EgressReplica? OwnOf(EgressClassRule rule) => here.Serving(rule.To!, rule.Destination.Family);

    /// <summary>Where there are more networks than the mark has room for, nothing of theirs goes by another's routes.</summary>
    private NftStatement[] ByOwn(EgressReplica replica) => replica.RouteTable is not { } table ? [Mark(marks.Here), ActDecide.Accept]
        : networks.TryGetValue($"{table}", out var number) ? [Mark(marks.By(number)), ActDecide.Accept] : [new ActCount(), ActDecide.Drop];

    /// <summary>What the packets that this node is the gateway of leave with.</summary>
    private string SourceChain(EgressClass of) => Put(From, of, rule => [rule.To == null ? [ActDecide.Return]
        : OwnOf(rule) is not { } replica ? [ActDecide.Return]
        : replica.AddressOf(rule.Destination.Family) is { } address ? [new ActSourceNat(address, address)] : [new ActMasquerade()]]);

    private string Put(string what, EgressClass of, Func<EgressClassRule, IEnumerable<NftStatement[]>> acts)
    {
        if (names.TryGetValue((what, of), out var known)) return known;
        var name = names[(what, of)] = Named(what, of);
        chains[name] = (of, acts);
        return name;
    }

    /// <summary>Which gateways it is about: nftables takes 128 characters.</summary>
    private static string Comment(EgressClass of)
    {
        const int longest = 100;
        var words = string.Join("; ", of.Rules.Select(rule => rule.To?.Words).OfType<string>().Distinct());
        return words.Length <= longest ? words : words[..longest];
    }

    private static NftRule Rule(EgressClassRule rule, NftStatement[] acts)
    {
        var (to, family) = (rule.Destination, rule.Destination.Family);
        return to.Length == 0 ? new([new MatchFamily(family), .. acts])
            : new([new MatchFamily(family), new MatchNets(family, NftEnd.Destination, [to]), .. acts]);
    }

    private ActMark Mark(uint value) => new(~marks.Mask, value);

    private static IEnumerable<NftElement> Nets(IEnumerable<Prefix> nets, IpFamily family) =>
        PrefixCover.Outermost(nets.Where(net => net.Family == family)).Select(NftElement.Of);

    /// <summary>Answers go back as they came: where somebody outside has begun a connection, no gateway has a part in it.</summary>
    private IEnumerable<NftRule> Translated(EgressPicture picture, bool isGateway)
    {
        foreach (var rule in Ended) yield return rule;
        yield return Replies;
        // Whoever is blocked has his link; to all others it is a part of what is inside, which one look tells.
        foreach (var family in picture.BlockedIn)
        {
            yield return StaysOnLink(family);
            yield return Dropped("no gateway can be told: bgpctl egress says why",
                new MatchFamily(family), new MatchAddress(family, NftEnd.Source, EgressMap.Blocked.Name(family)));
        }
        foreach (var family in Families)
            yield return new([new MatchFamily(family), new MatchConnectionMark(marks.Both, marks.Outside), ByPod(family)],
                "where it goes to is known to be outside");
        yield return PickedUp;
        foreach (var family in Families)
            yield return new(new MatchFamily(family), new MatchAddress(family, NftEnd.Destination, Inside(family)), ActDecide.Accept);
        yield return new(new MatchLocalDestination(), ActDecide.Accept);
        foreach (var family in Families) yield return new(new MatchFamily(family), ByPod(family));
        foreach (var rule in Unknown(picture.WorkloadPrefixes)) yield return rule;
        // Of other nodes' pods that are no concern of this one's their own nodes decide.
        if (isGateway) yield return AnyReplies;
        foreach (var family in isGateway ? Families : [])
            yield return Dropped("another node's pod, which this node is no gateway of",
                new MatchFamily(family), new MatchAddress(family, NftEnd.Source, Pools(family)));
    }

    /// <summary>
    /// Both ends are to know. But a reset leaves by no gateway: where its connection is not translated here, the server would get it from
    /// the pod's own address, so that it hears nothing more.
    /// </summary>
    private IEnumerable<NftRule> Ended
    {
        get
        {
            const string why = "it began when its pod left by another way";
            NftStatement[] its = [new MatchConnectionMark(marks.Both, marks.Ended), new MatchProtocols(IpProtocol.Tcp)];
            NftStatement[] resets = [new ActCount(), new ActReject(Resets: true)];
            yield return new([.. its, new MatchDirection(Reply: false), .. resets], why);
            yield return new([.. its, new MatchTranslated(Destination: false), .. resets], why);
            yield return Dropped(why, its);
        }
    }

    private static ActDecideByAddress ByPod(IpFamily family) => new(family, NftEnd.Source, EgressMap.Pods.Name(family));

    /// <summary>
    /// A look for the destination among all networks of the cluster, and another among the host's own addresses, cost a packet more than
    /// all else here, so that each connection has them once. Who leaves by what is asked for each packet.
    /// </summary>
    private NftRule Remembers => new(new MatchState(ConnectionStates.New), new ActConnectionMark(~marks.Both, marks.Outside));

    private static NftRule AnyReplies => new(new MatchDirection(Reply: true), ActDecide.Accept);

    private NftRule Replies =>
        new(new MatchDirection(Reply: true), new MatchConnectionMark(marks.Mask, marks.PickedUp, Not: true), ActDecide.Accept);

    /// <summary>
    /// A segment from the middle of a connection that the kernel does not know makes it one, with whoever sent it for its client. Where
    /// that is the server of a connection that a pod has begun, all that the pod sends would be a reply: so in such a connection no
    /// packet is one, and who sends goes by his gateway, as what he begins does. A service's address is asked by clients alone.
    /// </summary>
    private NftRule PickedUp => new(
        [new MatchState(ConnectionStates.New), new MatchProtocols(IpProtocol.Tcp), new MatchSyn(Not: true),
            new MatchTranslated(Destination: true, Not: true), new ActConnectionMark(~marks.Mask, marks.PickedUp)],
        "from the middle of a connection: who has begun it is not known");

    private static NftRule StaysOnLink(IpFamily family) =>
        new(new MatchFamily(family), new MatchNets(family, NftEnd.Destination, LinkLocal(family)), ActDecide.Accept);

    private static IEnumerable<NftRule> Unknown(IEnumerable<string> workloadPrefixes) => workloadPrefixes.Select(prefix =>
        Dropped("its pod is not known yet", new MatchInterface(Leaving: false, prefix + "*")));

    /// <summary>Before anybody is known. What has begun goes on: others have let it out, or nobody was asked.</summary>
    public static IEnumerable<NftRule> Closed(IEnumerable<string> workloadPrefixes) =>
    [
        new(new MatchState(ConnectionStates.Established | ConnectionStates.Related), ActDecide.Accept), AnyReplies,
        .. Families.Select(StaysOnLink), new(new MatchLocalDestination(), ActDecide.Accept), .. Unknown(workloadPrefixes),
    ];

    /// <summary>In front of the masquerading of pools.</summary>
    private IEnumerable<NftRule> Leaving =>
    [
        .. Families.Select(family => new NftRule(IsHere, new MatchFamily(family),
            new ActDecideByAddress(family, NftEnd.Source, EgressMap.Sources.Name(family)))),
        Dropped("no gateway of this node has it", IsHere),
        new([IsAway, ActDecide.Accept], ToGateway),
    ];

    private MatchMark IsHere => new(marks.Both, marks.Here);

    private MatchMark IsAway => new(marks.Both, marks.Away);

    /// <summary>
    /// A connection is translated once, when it begins: one that began when another, or nobody, was its gateway would leave with whatever
    /// source it had then. Which address the masqueraded ones have is not known, only that they have another.
    /// </summary>
    private IEnumerable<NftRule> Left(bool byHost, bool isGateway) =>
    [
        Dropped(AsAnother, IsAway, new MatchTranslated(Destination: false)),
        .. !isGateway ? [] : byHost
            ? [Dropped("it would leave as the pod", IsHere, new MatchTranslated(Destination: false, Not: true))]
            : Families.Select(family => Dropped(AsAnother, IsHere, new MatchFamily(family),
                new MatchAddress(family, NftEnd.Source, Own(family), Outside: true))),
    ];

    private static NftRule Dropped(string why, params NftStatement[] matches) => new([.. matches, new ActCount(), ActDecide.Drop], why);

    private sealed class Same : IEqualityComparer<(string What, EgressClass Of)>
    {
        public static readonly Same Instance = new();

        public bool Equals((string What, EgressClass Of) a, (string What, EgressClass Of) b) =>
            ReferenceEquals(a.Of, b.Of) && a.What == b.What;

        public int GetHashCode((string What, EgressClass Of) one) =>
            HashCode.Combine(one.What, System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(one.Of));
    }
}
