using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>
/// Who is listened to: endpoints with a rule by names, at what they ask of trusted servers and at what these answer, before any policy is
/// asked. Nobody else's packets wait; while no rule has names there is nothing of it.
/// <para>
/// A server is known by where the connection was begun to, since a packet that a service has sent on has its endpoint's address here. Which
/// way it goes connection tracking says, and not the packet: an answer that nobody has asked for is none.
/// </para>
/// </summary>
internal sealed class DnsChains
{
    private const string Asks = DnsSets.Prefix + "-query", Answers = DnsSets.Prefix + "-reply", Links = DnsSets.Prefix + "-links",
        Denied = DnsSets.Prefix + "-denied";

    /// <summary>What a packet meets before it is denied, where denied packets wait.</summary>
    public static NftStatement Wait { get; } = ActDecide.Jump(Denied);

    private readonly SortedSet<string> links = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NftChain> chains = [];
    private readonly Dictionary<NftChain, ImmutableArray<NftRule>> written = [];
    private bool hasLinks;

    /// <param name="asking">Interfaces of workloads that have such rules.</param>
    /// <param name="hostAsks">A host endpoint has.</param>
    /// <param name="servers">Sets of servers.</param>
    /// <param name="way"><see cref="QueueWay.None"/>: nobody can listen.</param>
    /// <param name="marks">Null: denied packets do not wait.</param>
    public void Write(
        PartsWriter into, IReadOnlySet<string> asking, bool hostAsks, ILookup<IpFamily, string> servers, QueueWay way, PolicyMarks? marks)
    {
        if (into.IsFresh)
        {
            links.Clear();
            chains.Clear();
            written.Clear();
            hasLinks = false;
        }
        var isInUse = way != QueueWay.None && (asking.Count > 0 || hostAsks);
        WriteLinks(into, isInUse ? asking : new HashSet<string>(), isInUse);
        Put(into, Asks, isInUse ? Queueing(servers, DnsLoop.Queries, way) : null);
        Put(into, Answers, isInUse ? Queueing(servers, DnsLoop.Responses, way) : null);
        Put(into, Denied, marks is not { } some ? null : isInUse && way != QueueWay.Copies ? Waiting(some, hostAsks, way) : []);
        Put(into, Frame.ForwardNames, isInUse ? [OfWorkloads(reply: false), OfWorkloads(reply: true)] : []);
        Put(into, Frame.InputNames, isInUse ? [OfWorkloads(reply: false), .. OfHost(hostAsks, reply: true)] : []);
        Put(into, Frame.OutputNames, isInUse ? [OfWorkloads(reply: true), .. OfHost(hostAsks, reply: false)] : []);
    }

    private void WriteLinks(PartsWriter into, IReadOnlySet<string> asking, bool isInUse)
    {
        if (isInUse && !hasLinks) into.Put(new NftSet(Links, [NftType.InterfaceName], false, []));
        ImmutableArray<NftElement> gone = [.. links.Where(link => !asking.Contains(link)).Select(Element)],
            come = [.. asking.Where(link => !links.Contains(link)).Order(StringComparer.Ordinal).Select(Element)];
        if (isInUse && !gone.IsEmpty) into.RemoveElements(Links, gone);
        if (!come.IsEmpty) into.PutElements(Links, come);
        links.Clear();
        links.UnionWith(asking);
        if (!isInUse && hasLinks) into.RemoveSet(Links);
        hasLinks = isInUse;
    }

    private static NftElement Element(string link) => NftElement.Of(NftOctets.OfInterface(link));

    private static NftRule OfWorkloads(bool reply) =>
        new(new MatchInterfaceIn(Leaving: reply, Links), new MatchDirection(reply), ActDecide.Jump(reply ? Answers : Asks));

    private static NftRule[] OfHost(bool asks, bool reply) =>
        asks ? [new(new MatchDirection(reply), ActDecide.Jump(reply ? Answers : Asks))] : [];

    private static ImmutableArray<NftRule> Queueing(ILookup<IpFamily, string> servers, ushort queue, QueueWay way) =>
    [
        .. from family in servers.OrderBy(family => family.Key)
           from set in family
           select new NftRule(new MatchFamily(family.Key), new MatchProtocols([(byte)IpProtocol.Tcp, (byte)IpProtocol.Udp]),
               new MatchOriginalService(family.Key, set), new ActQueue(queue, way)),
    ];

    /// <summary>Once: behind that, who has had it wait sees to it that it meets all this again, with the mark.</summary>
    private static ImmutableArray<NftRule> Waiting(in PolicyMarks marks, bool hostAsks, QueueWay way)
    {
        NftStatement[] wait = [marks.HasNotWaited, marks.SetWaited, new ActQueue(DnsLoop.Denied, way) { Repeats = true }];
        NftRule ofWorkloads = new([new MatchInterfaceIn(Leaving: false, Links), .. wait]);
        return hostAsks ? [ofWorkloads, new([new MatchLocalSource(OfOutgoingInterface: false), .. wait])] : [ofWorkloads];
    }

    private void Put(PartsWriter into, string name, ImmutableArray<NftRule>? rules)
    {
        if (rules is { } some)
        {
            var chain = new NftChain(name, null, some);
            if (chains.TryGetValue(name, out var before) && before.Same(chain)) return;
            into.Put(chains[name] = chain);
        }
        else if (chains.Remove(name)) into.RemoveChain(name);
    }

    private void Put(PartsWriter into, NftChain chain, ImmutableArray<NftRule> rules)
    {
        if (written.GetValueOrDefault(chain, []).AsSpan().SequenceEqual(rules.AsSpan())) return;
        if (rules.IsEmpty) written.Remove(chain);
        else written[chain] = rules;
        into.PutRules(chain, rules);
    }
}
