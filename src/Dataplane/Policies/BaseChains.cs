using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// Where programs stand on a packet's way. The way through the host is cut into base chains, one for each program: so an accept says that
/// this program is content and the next one is asked, a drop is final, and no mark has to remember who has been content. A place that no
/// endpoint has a program at has no rules.
/// </summary>
/// <param name="named">Interfaces that have a host endpoint of their own.</param>
internal sealed class BaseChains(Dispatch dispatch, Func<IEnumerable<string>> named)
{
    /// <summary>
    /// What the host says to itself. Calico's documents say nothing of it; were it among all interfaces, a host endpoint of them that
    /// allows little would part the host's programs from each other. Whoever wants it policed names it.
    /// </summary>
    public const string Loopback = "lo";

    private const string Spoof = FirstTable.PolicyChain, Neighbours = Enforcement.Prefix + "ndp",
        ToHost = Enforcement.Prefix + "wl-to-host", Translated = Enforcement.Prefix + "translated";

    private const byte Icmp6 = (byte)IpProtocol.Icmp6;

    /// <summary>Router and neighbour discovery (RFC 4861): without it the host has no neighbours.</summary>
    private static readonly byte[] Discovery = [133, 134, 135, 136];

    /// <summary>What a workload may ask of the host's IPv6 whatever its policies say: as Felix, without router advertisements.</summary>
    private static readonly byte[] FromWorkloads = [130, 131, 132, 133, 135, 136];

    private static readonly ConnectionStates Known = ConnectionStates.Established | ConnectionStates.Related;

    private readonly Dictionary<NftChain, ImmutableArray<NftRule>> written = [];
    private readonly Dictionary<string, NftChain> chains = [];

    /// <summary>Writes what differs from what it wrote before.</summary>
    /// <param name="spoofers">Workloads' interfaces, and whose addresses they may use beside their own.</param>
    public void Write(PartsWriter into, PolicyFacts facts, IReadOnlyDictionary<string, ListOf<Prefix>> spoofers)
    {
        if (into.IsFresh)
        {
            written.Clear();
            chains.Clear();
        }
        var now = Regular(facts, spoofers).ToDictionary(chain => chain.Name);
        foreach (var chain in now.Values)
        {
            if (chains.TryGetValue(chain.Name, out var before) && before.Same(chain)) continue;
            into.Put(chains[chain.Name] = chain);
        }
        foreach (var name in chains.Keys.Where(name => !now.ContainsKey(name)).ToArray())
        {
            chains.Remove(name);
            into.RemoveChain(name);
        }
        Put(Frame.RawPrerouting, RawPrerouting(facts), into);
        Put(Frame.ManglePrerouting, ManglePrerouting(facts), into);
        Put(Frame.ForwardHostIn, Of(ProgramKind.ForwardIn, leaving: false, facts, [new(facts.Marks.IsEarly, ActDecide.Accept)]), into);
        Put(Frame.ForwardFrom, Workloads(ProgramKind.WorkloadOut, leaving: false, facts), into);
        Put(Frame.ForwardTo, Workloads(ProgramKind.WorkloadIn, leaving: true, facts), into);
        Put(Frame.ForwardHostOut, Of(ProgramKind.ForwardOut, leaving: true, facts, []), into);
        Put(Frame.ForwardLoop, Loops(facts), into);
        Put(Frame.Input, Input(facts), into);
        Put(Frame.InputHost, InputHost(facts), into);
        Put(Frame.RawOutput, RawOutput(facts), into);
        Put(Frame.Output, Of(ProgramKind.HostOut, leaving: true, facts,
            [
                new(facts.Marks.IsEarly, ActDecide.Accept), .. Neighbour, .. OverlayPeers.Ask(OverlayPeers.Out, facts),
                new(new MatchTranslated(Destination: true), ActDecide.Accept), // its way out is known behind the translation alone
            ]), into);
        Put(Frame.OutputTo, !facts.HasIpvs ? [] :
            [
                new(new MatchLocalSource(OfOutgoingInterface: false), ActDecide.Accept),
                .. Workloads(ProgramKind.WorkloadIn, leaving: true, facts),
            ], into);
        Put(Frame.ManglePostrouting, Of(ProgramKind.HostOutTranslated, leaving: true, facts, []) is { IsEmpty: true } none ? none :
            [new(new MatchTranslated(Destination: true), new MatchLocalSource(OfOutgoingInterface: false), Jump(Translated))], into);
    }

    /// <summary>Nothing stands anywhere any more.</summary>
    public void Clear(PartsWriter into)
    {
        foreach (var chain in written.Keys.ToArray()) Put(chain, [], into);
        foreach (var name in chains.Keys) into.RemoveChain(name);
        chains.Clear();
    }

    private void Put(NftChain chain, ImmutableArray<NftRule> rules, PartsWriter into)
    {
        var before = written.GetValueOrDefault(chain, []);
        if (before.AsSpan().SequenceEqual(rules.AsSpan())) return;
        if (rules.IsEmpty) written.Remove(chain);
        else written[chain] = rules;
        into.PutRules(chain, rules);
    }

    private static ActDecide Jump(string chain) => ActDecide.Jump(chain);

    private static ActDecide Goto(string chain) => new(new NftVerdict(NftVerdictCode.Goto, chain));

    private static NftRule[] Neighbour => [new(new MatchFamily(IpFamily.IPv6), new MatchProtocols([Icmp6]), Jump(Neighbours))];

    private static IEnumerable<MatchInterface> OfWorkloads(PolicyFacts facts, bool leaving) =>
        facts.WorkloadPrefixes.Select(prefix => new MatchInterface(leaving, prefix + "*"));

    private IEnumerable<NftChain> Regular(PolicyFacts facts, IReadOnlyDictionary<string, ListOf<Prefix>> spoofers)
    {
        yield return new(Spoof, null,
        [
            .. Spoofers(spoofers), .. facts.Dropped(Denial.Spoofed, PolicyComment.Spoofed, null, new MatchReversePath(Missing: true)),
        ]);
        yield return new(Neighbours, null, [.. Types(Discovery)]);
        yield return new(ToHost, null,
        [
            .. Types(FromWorkloads), .. Map(ProgramKind.WorkloadOut, leaving: false), .. Begun(facts),
            .. facts.Dropped(Denial.Unknown, PolicyComment.UnknownInterface, ProgramKind.WorkloadOut),
        ]);
        // Whether an endpoint leads there is not asked, so that its coming or going writes no chain.
        yield return new(Translated, null, [.. Of(ProgramKind.HostOutTranslated, leaving: true, facts, [])]);
        foreach (var chain in Failsafes.Chains(facts)) yield return chain;
        foreach (var chain in OverlayPeers.Chains(facts)) yield return chain;
    }

    private static IEnumerable<NftRule> Types(byte[] types) => types.Select(type =>
        new NftRule(new MatchFamily(IpFamily.IPv6), new MatchProtocols([Icmp6]), new MatchIcmp(IpFamily.IPv6, type), ActDecide.Accept));

    private static IEnumerable<NftRule> Spoofers(IReadOnlyDictionary<string, ListOf<Prefix>> spoofers) =>
        from one in spoofers.OrderBy(one => one.Key, StringComparer.Ordinal)
        from family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]
        let nets = PrefixCover.Outermost(one.Value.Where(net => net.Family == family)).ToArray()
        where nets.Length > 0
        select nets[0].Length == 0
            ? new NftRule(new MatchInterface(Leaving: false, one.Key), new MatchFamily(family), ActDecide.Return)
            : new NftRule(new MatchInterface(Leaving: false, one.Key), new MatchFamily(family),
                new MatchNets(family, NftEnd.Source, [.. nets]), ActDecide.Return);

    private IEnumerable<NftRule> Map(ProgramKind place, bool leaving) =>
        dispatch.Has(place) ? [Dispatch.Decide(place, leaving)] : [];

    /// <summary>A place of host endpoints: by interface, and behind that the program of all other interfaces, workloads'
    /// excepted.</summary>
    private ImmutableArray<NftRule> Of(ProgramKind place, bool leaving, PolicyFacts facts, NftRule[] before)
    {
        var others = dispatch.OfOthers(place);
        if (!dispatch.Has(place) && others == null) return [];
        IEnumerable<NftRule> rest = others == null ? [] :
            [.. OfWorkloads(facts, leaving).Select(workload => new NftRule(workload, ActDecide.Accept)), .. Others(place, leaving, others)];
        return [.. before, .. Map(place, leaving), .. rest];
    }

    /// <summary>An interface with a host endpoint of its own is asked by that one alone, also where it has no program.</summary>
    private IEnumerable<NftRule> Others(ProgramKind place, bool leaving, string program) =>
    [
        .. named().Append(Loopback).Distinct().Where(name => !dispatch.Has(place, name)).Order(StringComparer.Ordinal)
            .Select(name => new NftRule(new MatchInterface(leaving, name), ActDecide.Accept)),
        new(Goto(program)),
    ];

    private ImmutableArray<NftRule> RawPrerouting(PolicyFacts facts) =>
    [
        new(facts.Marks.Begin), .. OverlayPeers.Untracked(facts),
        .. OfWorkloads(facts, leaving: false).Select(workload => new NftRule(workload, Jump(Spoof))),
        .. Of(ProgramKind.UntrackedIn, leaving: false, facts, Neighbour),
    ];

    /// <summary>What goes into a tunnel keeps its mark on the packet that carries it.</summary>
    private ImmutableArray<NftRule> RawOutput(PolicyFacts facts)
    {
        var programs = Of(ProgramKind.UntrackedOut, leaving: true, facts, Neighbour);
        return programs.IsEmpty && facts.Tunnels == TunnelsInUse.None ? []
            : [new(facts.Marks.Begin), .. OverlayPeers.Untracked(facts), .. programs];
    }

    /// <summary>The endpoint of every interface is asked of workloads', too: so what pods send to node ports is.</summary>
    private ImmutableArray<NftRule> ManglePrerouting(PolicyFacts facts)
    {
        var others = dispatch.OfOthers(ProgramKind.PreDnat);
        if (!dispatch.Has(ProgramKind.PreDnat) && others == null) return [];
        return
        [
            new(facts.Marks.IsEarly, ActDecide.Accept), new(new MatchState(Known), ActDecide.Accept), .. Neighbour,
            .. Map(ProgramKind.PreDnat, leaving: false), .. others == null ? [] : Others(ProgramKind.PreDnat, leaving: false, others),
        ];
    }

    /// <summary>An interface that is a workload's by its name, and of which nobody has told us, is closed.</summary>
    private ImmutableArray<NftRule> Workloads(ProgramKind place, bool leaving, PolicyFacts facts) =>
    [
        .. Map(place, leaving),
        .. OfWorkloads(facts, leaving).SelectMany(workload => (NftRule[])
        [
            .. Begun(facts, workload), .. facts.Dropped(Denial.Unknown, PolicyComment.UnknownInterface, place, workload),
        ]),
    ];

    /// <summary>Where no table was there before, somebody else has let these through, or nobody has asked.</summary>
    private static IEnumerable<NftRule> Begun(PolicyFacts facts, params NftStatement[] matches) =>
        facts.AwaitsObjects ? [new([.. matches, new MatchState(Known), ActDecide.Accept])] : [];

    private static ImmutableArray<NftRule> Loops(PolicyFacts facts)
    {
        if (facts.LoopPrevention == ServiceLoopPrevention.Disabled) return [];
        return
        [
            .. from family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]
               let nets = PrefixCover.Outermost(facts.ServiceNets.Where(net => net is { Length: > 0 } && net.Family == family)).ToArray()
               where nets.Length > 0
               select new NftRule([new MatchFamily(family), new MatchNets(family, NftEnd.Destination, [.. nets]),
                   facts.LoopPrevention == ServiceLoopPrevention.Reject ? new ActReject() : ActDecide.Drop], "no service has this address"),
        ];
    }

    private ImmutableArray<NftRule> Input(PolicyFacts facts) =>
    [
        .. OverlayPeers.Ask(OverlayPeers.In, facts),
        .. OfWorkloads(facts, leaving: false).Select(workload => new NftRule(workload, Goto(ToHost))),
        .. Of(ProgramKind.HostIn, leaving: false, facts, [new(facts.Marks.IsEarly, ActDecide.Accept), .. Neighbour]),
    ];

    /// <summary>What a workload's own policies let go to the host (defaultEndpointToHostAction).</summary>
    private static ImmutableArray<NftRule> InputHost(PolicyFacts facts) => facts.EndpointToHost != EndpointToHostAction.Drop ? [] :
    [
        .. OfWorkloads(facts, leaving: false).SelectMany(workload => (NftRule[])
        [
            new(workload, new MatchState(Known), ActDecide.Accept),
            .. Types(FromWorkloads).Select(rule => new NftRule([workload, .. rule.Statements], null)),
            .. facts.Dropped(Denial.ToHost, PolicyComment.ToHost, ProgramKind.WorkloadOut, workload),
        ]),
    ];
}
