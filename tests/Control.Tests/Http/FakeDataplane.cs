using System.Collections.Immutable;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Control.Tests.Http;

/// <summary>One pool that the node translates for, one that the network does for in part, and a rule that the kernel refuses.</summary>
public sealed class FakeDataplane : IDataplane
{
    public PolicyView Policy => !HasPolicy ? PolicyView.Off : new(
        true, true, 3, 2, 1, 4, [new("NetworkPolicy/default/p", "No such file or directory", true)])
    {
        ConnectionsCut = 6,
        Sets = 9,
        WithoutInterface = WithoutInterface,
    };

    /// <summary>Of two workloads.</summary>
    public int WithoutInterface { get; set; }

    public NatView View { get; set; } = new(
        true, true,
        new([
            new(IpFamily.IPv4)
            {
                Pools =
                [
                    Pool("pods", "192.168.0.0/16", PoolTreatment.Masquerade, AddressRanges.None, "tor2 not established"),
                    Pool("rack", "10.64.0.0/16", PoolTreatment.Upstream, AddressRanges.Of([AddressRanges.Of(Prefix.Parse("0.0.0.0/1"))]),
                    "tor1 translates"),
                ],
            },
        ]),
        [new("tor1", true, true), new("tor2", false, true), new("node2", true, false)],
        new(3, 1, 2, ["CONFIG_NFT_FIB_INET"], [new("rule in chain postrouting: masquerade", 2, "No such file or directory",
        FakeSpeaker.Now.AddMinutes(-1), 4)])
        { LastTransaction = DateTimeOffset.FromUnixTimeMilliseconds(1_500) }, 5);

    public Task<ImmutableArray<DnsCacheEntry>> DnsCacheAsync(string? name, CancellationToken stop = default) =>
        Task.FromResult<ImmutableArray<DnsCacheEntry>>(
        [
            .. new DnsCacheEntry[]
            {
                new("shop/web", "www.example.org", true, [new("cdn.example.net", "10.96.0.10", 300, 329)], []),
                new("shop/web", "cdn.example.net", false, [], [new("203.0.113.7", "10.96.0.10", 20, 21)]),
            }.Where(one => name == null || one.Name == name),
        ]);

    /// <summary>Whoever begins hears what is behind the fourth.</summary>
    public DnsHeard Heard { get; set; } = new(4, []);

    public Task<DnsHeard> DnsWatchAsync(long? after, CancellationToken stop = default) => Task.FromResult(
        after == null ? new DnsHeard(4, []) : Heard with { Lookups = [.. Heard.Lookups.Where(one => one.Number > after)] });

    public DnsView Dns { get; set; } = new(true, DnsMode.Hold, 2, 7,
        new(50, 40, 20, TimeSpan.FromMilliseconds(2500), 1, 3, 4, 21) { Delayed = 5 })
    {
        Names = 9,
        GivenUp = 2,
        Streams = 6,
    };

    public DeniedView Denied { get; set; } = new(true, null, 3,
    [
        new(1, new(Address.Parse("10.65.0.2"), Address.Parse("10.65.0.3"), IpProtocol.Tcp, 81, "calia", "calib"),
            new("pod ingress", "shop/web", "ingress", "default", "NetworkPolicy shop/no-81", 2, "NetworkPolicy shop/no-81 rule 2"),
            FakeSpeaker.Now.AddSeconds(-90), FakeSpeaker.Now.AddSeconds(-4), 12, 40_000),
        new(2, new(Address.Parse("2001:db8::9"), Address.Parse("fd00::1"), IpProtocol.Icmp6, 128, "eth0", null),
            new("normal-in", "eth0-hep", "ingress", "default", null, null, "no policy of tier default decides: end of tier"),
            FakeSpeaker.Now.AddSeconds(-1), FakeSpeaker.Now.AddSeconds(-1), 1, null),
    ]);

    private static PoolPlan Pool(string name, string cidr, PoolTreatment treatment, AddressRanges exceptTo, string reason) =>
        new(name, Prefix.Parse(cidr), true, false, UpstreamNat.Prefer, treatment, exceptTo, reason);

    /// <summary>Else a daemon without <c>services</c>.</summary>
    public bool HasServices { get; set; } = true;

    /// <summary>An upgrade has heard what the command line said.</summary>
    public bool IsHandedOver { get; set; }

    /// <summary>None at first.</summary>
    public TranslationTable Translations { get; } = new();

    /// <summary>Off, as a daemon without <c>egress</c> has it.</summary>
    public EgressView Egress { get; set; } = EgressView.Off;

    /// <summary>Two gateways, one of which has a node that is not heard, and a pod that names a policy which is not there.</summary>
    public static EgressView Gateways { get; } = new(true,
    [
        new(new("edge", "blue"), [new("gate1", [Address.Parse("10.10.11.0")], false, true, "this node")], [], []),
        new(new("edge", "red"),
        [
            new("gate1", [Address.Parse("10.10.10.0")], false, true, "this node"),
            new("gate2", [Address.Parse("10.10.10.1"), Address.Parse("fd10::1")], false, false, "172.20.0.12 is not heard"),
        ], ["3 replicas are asked for, and 2 nodes match {egress=true}"], ["alpha/a", "alpha/b", "beta/c", "beta/d"]),
    ], [new("bad/x", "client", "EgressGatewayPolicy/nowhere does not exist")]);

    /// <summary>The kernel refuses to tell.</summary>
    public bool RefusesFlows { get; set; }

    public Task<EgressFlowCounts?> CountEgressFlowsAsync(CancellationToken stop = default) => RefusesFlows
        ? throw new System.ComponentModel.Win32Exception(1)
        : Task.FromResult<EgressFlowCounts?>(new([new("edge", "red")],
            [new(new("edge", "red"), new("alpha", "a"), 7), new(new("edge", "red"), null, 1)], true));

    public Task<EgressExplanation?> ExplainEgressAsync(ResourceKey pod, Address destination, CancellationToken stop = default) =>
        Task.FromResult(!Egress.Enabled ? null : pod.Name == "nobody" ? new EgressExplanation(EgressExplanation.NoPod, ["no pod"])
            : new EgressExplanation("by a gateway", [$"{pod} to {destination}"]));

    public ServicesStatus Services { get; set; } = ServicesStatus.Off;

    /// <summary>What each that comes waits for; null: nothing.</summary>
    public string? Lacks { get; set; }

    public Task<ServicesView> ServicesAsync(CancellationToken stop = default) =>
        Task.FromResult(HasServices ? new(true, [.. Translations.Rows.Select(Balanced)])
        {
            OfObjects = [new("Service/shop/web", "it leads to another"), new("Pod/shop/web", "so does this")],
        } : ServicesView.Off);

    private static TranslationRow Balanced(TranslationRow row) =>
        row.Translation.Balance == TranslationBalance.Maglev ? row with { Digest = "0123456789abcdef" } : row;

    /// <summary>What of the node each that comes would take; null: nothing.</summary>
    public string? Takes { get; set; }

    public Task<string?> NodeTakenAsync(Translation translation, CancellationToken stop = default) => Task.FromResult(Takes);

    public Task<TranslationRow?> AddTranslationAsync(Translation translation, CancellationToken stop = default) => Task.FromResult(
        HasServices && !IsHandedOver ? Lacking(Translations.Row(Translations.Put(TranslationSource.Cli, translation))!) : null);

    private TranslationRow Lacking(TranslationRow row) => row.InForce
        ? row with { Problem = Lacks, Warnings = Takes == null ? [] : [Takes] } : row;

    public Task<bool> RemoveTranslationAsync(int id, CancellationToken stop = default) =>
        Task.FromResult(Translations.Remove(TranslationSource.Cli, id));

    /// <summary>What is answered; null: services are off.</summary>
    public TranslationExplanation? Explanation { get; set; }

    /// <summary>What was asked about.</summary>
    public string? Explained { get; private set; }

    public Task<TranslationExplanation?> ExplainTranslationAsync(Packet packet, CancellationToken stop = default)
    {
        Explained = $"{packet.Source}:{packet.SourcePort} {packet.Destination}:{packet.DestinationPort} {packet.Protocol}";
        return Task.FromResult(Explanation);
    }

    public SourceNatEdits Edits { get; private set; } = SourceNatEdits.None;

    private SourceNatView? SourceNat => HasServices ? new(Edits.Over(null), Edits) : null;

    public Task<SourceNatView?> SourceNatAsync(CancellationToken stop = default) => Task.FromResult(SourceNat);

    public Task<SourceNatView?> EditSourceNatAsync(SourceNatEdit edit, CancellationToken stop = default)
    {
        if (IsHandedOver) return Task.FromResult<SourceNatView?>(null);
        Edits = Edits.With(edit);
        return Task.FromResult(SourceNat);
    }

    public Task<SourceNatView?> ResetSourceNatAsync(CancellationToken stop = default)
    {
        Edits = SourceNatEdits.None;
        return Task.FromResult(SourceNat);
    }

    public Task<int?> EndMaskedAsync(Prefix destination, CancellationToken stop = default)
    {
        SessionOrders.Add($"end to {destination}");
        return Task.FromResult<int?>(HasServices ? 4 : null);
    }

    public ImmutableArray<ServiceSession> Sessions { get; set; } =
    [
        new(0, new(Address.Parse("10.0.0.9"), Address.Parse("30.0.0.2"), 6, false)
        {
            Server = Address.Parse("20.0.0.1"),
            SourcePort = 40001,
            DestinationPort = 80,
            ServerPort = 8080,
        }, new(7, Address.Parse("10.0.0.9"), 40001)
        {
            Tcp = 3,
            IsAnswered = true,
            Left = TimeSpan.FromSeconds(3599),
            Since = FakeSpeaker.Now.AddMinutes(-2),
            Asked = new(5, 500),
            Answered = new(4, 4000),
        }),
        new(1, new(Address.Parse("2001:db8::9"), Address.Parse("2001:db8:1::1"), 17, true)
        {
            Server = Address.Parse("2001:db8:2::1"),
            SourcePort = 5353,
            DestinationPort = 53,
            ServerPort = 53,
        }, new(8, Address.Parse("2001:db8:3::1"), 1024) { Left = TimeSpan.FromSeconds(12) }),
    ];

    /// <summary>Else none of them is meant, whatever is asked.</summary>
    public bool HasSessions { get; set; } = true;

    /// <summary>What of sessions was asked, and ended.</summary>
    public List<string> SessionOrders { get; } = [];

    public Task<ImmutableArray<ServiceSession>?> SessionsAsync(SessionFilter which, CancellationToken stop = default)
    {
        SessionOrders.Add($"tell {which}");
        return Task.FromResult<ImmutableArray<ServiceSession>?>(HasServices ? HasSessions ? Sessions : [] : null);
    }

    public Task<int?> EndSessionsAsync(SessionFilter which, CancellationToken stop = default)
    {
        SessionOrders.Add($"end {which}");
        return Task.FromResult<int?>(HasServices ? HasSessions ? 2 : 0 : null);
    }

    /// <summary>Else a daemon without <c>policy</c>.</summary>
    public bool HasPolicy { get; set; } = true;

    /// <summary>Three policies of two tiers, the last one closed, another staged; a pod and a host endpoint that they select.</summary>
    public PolicyPicture Picture { get; set; } = FakePolicies.Picture();

    public Task<PolicyPicture?> PolicyPictureAsync(CancellationToken stop = default) => Task.FromResult(HasPolicy ? Picture : null);

    public Task<ImmutableArray<PolicyFinding>?> LintPolicyAsync(SshConnection? ssh, CancellationToken stop = default) =>
        Task.FromResult<ImmutableArray<PolicyFinding>?>(!HasPolicy ? null :
        [
            .. ssh == null ? Array.Empty<PolicyFinding>() : [new(PolicyTrap.LocksOut, "uplink", $"a new SSH connection {ssh} is denied")],
            .. HasTraps ? [new(PolicyTrap.SelectsNothing, "NetworkPolicy/shop/web", "no endpoint that is known matches its selector")]
                : Array.Empty<PolicyFinding>(),
        ]);

    public bool HasTraps { get; set; } = true;

    /// <summary>Whose program denies what is asked about.</summary>
    public string ExplainedEndpoint { get; set; } = "eth0-hep";

    public Task<PolicyExplanation?> ExplainPolicyAsync(PolicyQuestion question, CancellationToken stop = default) => Task.FromResult(
        !HasPolicy ? null :
        question.Source == "nobody/there" ? PolicyExplanation.Refused("expected an address or a pod, got nobody/there") : new(
            "deny", [new("normal-in", ExplainedEndpoint, "deny", "default", "no-web", 1, $"{question.Destination} {question.Port}")],
            null, null, "no service", []));

    public Task<PolicyCounts> CountPoliciesAsync(CancellationToken stop = default) =>
        Task.FromResult(new PolicyCounts(
        [
            new(new(Kinds.NetworkPolicy, new("default", "web")), PolicyTypes.Ingress, new(7, 420), new(2, 120)),
            new(new(Kinds.GlobalNetworkPolicy, new("", "dns")), PolicyTypes.Egress, new(5, 300), default),
        ], [new("end of tier", new(4, 240))]));

    /// <summary>A pod that leaves by a gateway of another node.</summary>
    public const string LeavesByGateway = "192.168.1.2";

    private static readonly NatExplanation ByGateway = new(false, "10.10.10.0, by gateway edge/shared on gate", ["it leaves by a gateway"])
    {
        Address = Address.Parse("10.10.10.0"),
        Interface = "eth0",
    };

    private static NatExplanation Masqueraded(Packet packet) => new(
        true, "172.20.0.1, the address of eth0",
        ["the source is in pool pods (192.168.0.0/16), whose outgoing traffic is translated", "the destination is in no pool"])
    {
        Address = Address.Parse("172.20.0.1"),
        Interface = "eth0",
        Rule = "chain postrouting: meta nfproto ipv4 ip saddr @nat-masq4 ip daddr != @nat-pools4 masquerade fully-random: done",
        Trail = [$"{packet}"],
    };

    public Task<NatExplanation> ExplainAsync(Packet packet, CancellationToken stop = default) =>
        Task.FromResult(packet.Source.ToString() == LeavesByGateway ? ByGateway : Masqueraded(packet));
}
