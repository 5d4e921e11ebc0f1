using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>A node with what it has written, and the wishes for routes beside that.</summary>
internal sealed class EgressSite : IPolicyHost
{
    public static readonly KernelStatus NothingRefused = new(0, 0, 0, 0, 0, 0, []);

    private readonly Dataplane.Egress.Egress egress;
    private readonly WrittenTable table = new();
    private readonly Dictionary<ResourceId, Resource> objects = [];
    private readonly string node;

    public EgressSite(string node, params IEnumerable<Resource> resources) : this(node, new() { Enabled = true }, [], resources) { }

    /// <param name="links">Beside eth0.</param>
    public EgressSite(string node, EgressSettings settings, IReadOnlyCollection<Link> links, params IEnumerable<Resource> resources)
        : this(node, settings, links, TimeProvider.System, resources) { }

    public EgressSite(
        string node, EgressSettings settings, IReadOnlyCollection<Link> links, TimeProvider clock, params IEnumerable<Resource> resources)
    {
        (this.node, egress) = (node, new(NullLogger.Instance, clock));
        egress.Apply(new DataplaneChange.Configured(new(node, Egress: settings)));
        Link(links);
        Have(resources);
    }

    public EgressView View => egress.View.Value;
    public EgressRoutes Routes => egress.Routes;
    public IEnumerable<string> Claimed => egress.Claimed.Select(one => $"{one.Address} on {one.On.Name}");
    public IEnumerable<string> Watched => egress.Watched.Select(one => one.Host.ToString());

    /// <summary>Those of the last writing.</summary>
    public ImmutableArray<NftChange> Changes { get; private set; }

    /// <summary>Sets and chains that are not the same there.</summary>
    public IEnumerable<string> Differences(EgressSite other) =>
    [
        .. table.Sets.Keys.Union(other.table.Sets.Keys).Where(name => Elements(name) != other.Elements(name)),
        .. table.Chains.Keys.Union(other.table.Chains.Keys).Where(name => !table.Chains.TryGetValue(name, out var one)
            || !other.table.Chains.TryGetValue(name, out var two) || !one.Same(two)),
    ];

    private string Elements(string name) => !table.Sets.TryGetValue(name, out var set) ? "there is none"
        : string.Join(", ", set.Elements.Select(one => $"{one.From}-{one.To} {one.Value}").Order(StringComparer.Ordinal));

    private void Link(IReadOnlyCollection<Link> links)
    {
        var address = node switch { "client" => "172.20.0.1", "gate1" => "172.20.0.11", _ => "172.20.0.12" };
        var all = links.Append(new(2, "eth0", 0x10043, 1500, 0, new(0x0200000000aa))).ToImmutableDictionary(link => link.Index);
        egress.Apply(new DataplaneChange.Machine(new(
            1, all, [new(2, Address.Parse(address), 24, null, 0, false)], KernelSnapshot.Empty.Routes)));
    }

    /// <param name="links">Beside eth0.</param>
    public void HaveLinks(params IReadOnlyCollection<Link> links)
    {
        Link(links);
        Write();
    }

    /// <summary>All that comes in one round.</summary>
    public void Change(IEnumerable<Resource> come, IEnumerable<Resource> gone)
    {
        foreach (var one in gone)
        {
            egress.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, one, null)));
            objects.Remove(one.Id);
        }
        Have(come);
    }

    public void Have(params IEnumerable<Resource> resources)
    {
        foreach (var one in resources)
        {
            egress.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, objects.GetValueOrDefault(one.Id), one)));
            objects[one.Id] = one;
        }
        Write();
    }

    public void Lose(Resource one) => Change([], [one]);

    public void NotHear(params string[] hosts)
    {
        egress.Apply(new DataplaneChange.Unheard([.. hosts.Select(Address.Parse)]));
        Write();
    }

    /// <param name="here">Gateways of namespace edge that are this node.</param>
    /// <param name="nodes">Addresses of others.</param>
    public void Fail(string[] here, params string[] nodes)
    {
        egress.Apply(new DataplaneChange.Failing(Failing(here) with { Nodes = [.. nodes.Select(Address.Parse)] }));
        Write();
    }

    private static EgressFailing Failing(string[] here) =>
        new(here.ToImmutableDictionary(name => new ResourceKey("edge", name), _ => "its targets are silent"), []);

    /// <summary>Other nodes say of which of their gateways it is so.</summary>
    public void FailThere(string[] here, params (string Node, string Gateway)[] there)
    {
        egress.Apply(new DataplaneChange.Failing(Failing(here) with
        {
            There = [.. there.Select(one => (Address.Parse(one.Node), GatewayRemark.NumberOf(new("edge", one.Gateway))))],
        }));
        Write();
    }

    public IEnumerable<EgressProbed> Probed => egress.Probed;

    public void Configure(EgressSettings? settings)
    {
        egress.Apply(new DataplaneChange.Configured(new(node, Egress: settings)));
        Write();
    }

    public EgressExplanation? Explain(string to, KernelStatus? kernel = null) =>
        egress.Explain(new("alpha", "a"), Address.Parse(to), kernel ?? NothingRefused);

    /// <summary>When it is to be asked again.</summary>
    public TimeSpan? Due => egress.Due;

    /// <summary>Asked by the clock alone.</summary>
    public void Write()
    {
        egress.Look();
        egress.Write(table.For(egress));
        Changes = table.Take();
        egress.InForce();
        Assert.False(egress.Look());
    }

    public string Text => table.Text;

    /// <summary>In a word what becomes of a connection's first packet: by whom it goes, or as whom.</summary>
    /// <param name="isAnswer">It is not the first one.</param>
    /// <param name="isPickedUp">The first one was from the connection's middle.</param>
    public string Of(string from, string to, string by = "cali1", bool? isAnswer = null, bool isPickedUp = false)
    {
        // What nobody has said (another table may translate the source, too) is not so.
        var state = isAnswer == null ? ConnectionStates.New : ConnectionStates.Established;
        var end = Assert.Single(Ends(Asked(from, to, by, state)), end => end.DependsOn.All(one =>
            one.IsSo == (one.Fact.Contains("direction", StringComparison.Ordinal) ? isAnswer == true
                : isPickedUp && one.Question == "ct mark & 0xfff00000 == 0x40000000")));
        if (end.Verdict != PacketVerdict.Accept) return end.Verdict.ToString().ToLowerInvariant();
        if (end.Source is { } source) return $"as {source.First?.ToString() ?? "the node"}";
        return end.Trail.Any(step => step.Stopped == null && step.Rule.Statements.Any(one => one is ActMark))
            ? "to a gateway" : "as it is";
    }

    /// <summary>What <c>bgpctl nat explain</c> says.</summary>
    public NatExplanation Nat(string from, string to, string by)
    {
        var walked = Walked(from, to, by);
        return new NatExplainer(new NatPlanner(node, Objects(objects.Values),
            new() { Enabled = true }, false, new Dictionary<string, UpstreamOffer>(), new Dictionary<string, AddressRanges>()).Plan(),
            walked.Packet, walked.Ends, leaving: walked.Leaving).Explain();
    }

    /// <summary>What <c>bgpctl policy explain</c> says where there is no policy.</summary>
    public PolicyExplanation Policy(string from, string to)
    {
        Assert.Null(PolicyQuestion.Read(from, to, "udp:53", null, out var question));
        var asked = new PolicyCase(Address.Parse(from), Address.Parse(to), question!)
        {
            Interfaces = ImmutableDictionary<Address, string>.Empty,
        };
        return PolicyAnswers.Of(asked, this, [Walked(from, to, "cali1")],
            new(_ => null, link => link, _ => false, new(new(_ => { }, _ => { }))));
    }

    private WalkedPacket Walked(string from, string to, string by)
    {
        var (packet, walked) = (Asked(from, to, by, ConnectionStates.New), Ends(Asked(from, to, by, ConnectionStates.New)));
        var leaving = EgressLeaving.MarkOf(walked) is { } mark ? egress.Leaving(mark, packet.Source.Family) : null;
        return new(packet, leaving?.Ends(walked) ?? walked, leaving);
    }

    private static Packet Asked(string from, string to, string by, ConnectionStates state) =>
        new(Address.Parse(from), Address.Parse(to))
        {
            Protocol = IpProtocol.Udp,
            SourcePort = 1000,
            DestinationPort = 53,
            Mark = 0,
            In = by,
            Out = "eth0",
            State = state,
        };

    private ImmutableArray<PacketEnd> Ends(Packet packet) =>
        PacketWalk.Ends(table.Packets(), this, packet);

    /// <summary>To whom a packet is handed.</summary>
    /// <param name="marked">Null: it begins its connection. Else what is not known of the connection's mark is so, or is not.</param>
    public string By(string from, string to, bool? marked = null, string by = "cali1")
    {
        var ends = Ends(Asked(from, to, by, marked == null ? ConnectionStates.New : ConnectionStates.Established));
        var end = Assert.Single(ends, end => end.DependsOn.All(one =>
            one.IsSo == (one.Fact.Contains("mark", StringComparison.Ordinal) && marked == true)));
        if (end.Source?.First is { } source) return $"as {source}";
        var mark = end.Trail.Where(step => step.Stopped == null).SelectMany(step => step.Rule.Statements).OfType<ActMark>().Last().Turn;
        var way = Assert.Single(Routes.Tables, way => way.Mark == mark);
        return string.Join(" or ", way.Hops.Select(hop => hop.Gateway));
    }

    /// <summary>Those that packets are given for ways to other nodes.</summary>
    public IEnumerable<uint> Marks => table.Chains.Values.Where(chain => chain.Name.StartsWith("eg-out-", StringComparison.Ordinal))
        .SelectMany(chain => chain.Rules).SelectMany(rule => rule.Statements).OfType<ActMark>().Select(act => act.Turn).Distinct();

    public IEnumerable<string> Hops => Routes.Tables.SelectMany(one => one.Hops).Select(hop => hop.Gateway.ToString()!);

    public bool? IsLocal(Address address) => false;
    public bool? IsLocalOn(Address address, string link) => false;
    public IReadOnlyCollection<string>? Links => null;
    public string? LinkTo(Address address) => "eth0";
    public Address? Masqueraded(string link, Address towards) => null;
    public bool? ComesBackBy(Address source, uint mark, string link) => true;
}
