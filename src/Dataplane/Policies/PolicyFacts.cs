using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>What of the configuration all rules depend on. Compared by value: what compares equal writes nothing anew.</summary>
internal sealed record PolicyFacts(PolicyMarks Marks)
{
    /// <summary>Of the netlink groups of NFLOG the one that rules with the action Log tell.</summary>
    public const ushort LogGroup = 64;

    public const ushort DefaultVxlanPort = 4789, DefaultWireguardPort = 51820, DefaultWireguardPort6 = 51821;

    public const uint DefaultVxlanNetwork = 4096;

    public const byte IpInIp = 4;

    /// <summary>What workloads' interfaces' names begin with.</summary>
    public ListOf<string> WorkloadPrefixes { get; init; } = DefaultWorkloadPrefixes;

    public static readonly ListOf<string> DefaultWorkloadPrefixes = ["cali"];

    /// <summary>A denied packet's sender is told.</summary>
    public bool Rejects { get; init; }

    /// <summary>Nothing is known of the objects yet: of workloads alone what has begun before goes on.</summary>
    public bool AwaitsObjects { get; init; }

    /// <summary>Conntrack can make nothing of them (FelixConfiguration, disableConntrackInvalidCheck).</summary>
    public bool AllowsInvalid { get; init; }

    public EndpointToHostAction EndpointToHost { get; init; }

    public ListOf<FailsafePort> FailsafesIn { get; init; } = Failsafes.DefaultIn;
    public ListOf<FailsafePort> FailsafesOut { get; init; } = Failsafes.DefaultOut;

    /// <summary>Services' addresses that no service has: what is sent there would go round between this host and its router.</summary>
    public ListOf<Prefix> ServiceNets { get; init; }
    public ServiceLoopPrevention LoopPrevention { get; init; }

    public ushort VxlanPort { get; init; } = DefaultVxlanPort;
    public uint VxlanNetwork { get; init; } = DefaultVxlanNetwork;
    public ushort WireguardPort { get; init; } = DefaultWireguardPort;
    public ushort WireguardPort6 { get; init; } = DefaultWireguardPort6;
    public TunnelsInUse Tunnels { get; init; } = TunnelsInUse.None;
    /// <summary>At the other ends of tunnels, beside the nodes.</summary>
    public ListOf<Prefix> ExternalNodes { get; init; }
    public bool AllowsVxlanFromWorkloads { get; init; }
    public bool AllowsIpipFromWorkloads { get; init; }

    /// <summary>kube-proxy translates by IPVS.</summary>
    public bool HasIpvs { get; init; }

    /// <summary>How names are learned, and of whom.</summary>
    public DnsFacts Dns { get; init; } = new();
    public ListOf<DnsServer> DnsServers { get; init; } = DnsServer.Default;

    /// <summary>What is sent, and denied for want of a name it may be, waits first.</summary>
    public bool DeniedWait => Dns.Mode == DnsMode.DenyDelay;

    /// <summary>What is denied is logged (bgpd.yaml, <c>policy.logDenied</c>).</summary>
    public bool LogsDenied { get; init; }

    /// <summary>False: rules decide, and tell nothing.</summary>
    public bool Tells { get; init; } = true;

    public bool TellsDenied => LogsDenied && Tells;

    /// <summary>What a kernel may take that refuses a rule as it should be, the nearest first: it decides the same, and tells nobody;
    /// where it has no reject, it drops.</summary>
    /// <param name="tells">Some rule does.</param>
    public IEnumerable<PolicyFacts> Gentler(bool tells, bool dropsOnly)
    {
        if (tells) yield return this with { Tells = false };
        if (!Rejects || dropsOnly) yield break;
        yield return this with { Rejects = false };
        if (tells) yield return this with { Tells = false, Rejects = false };
    }

    /// <summary>Packets that match are counted and dropped, and told where that is asked for: by a rule of its own in front, as what comes
    /// too fast to be told is to be dropped all the same.</summary>
    public IEnumerable<NftRule> Denied(
        Denial why, PolicyComment comment, ProgramKind program, bool dropsOnly, params NftStatement[] matches) =>
        Denied(why, comment.ToString(), comment.Within(LogPrefix.RoomFor(program)), program, Deny(dropsOnly), matches);

    public IEnumerable<NftRule> Denied(Denial why, string comment, ProgramKind program, bool dropsOnly) =>
        Denied(why, comment, comment, program, Deny(dropsOnly), []);

    public IEnumerable<NftRule> Dropped(Denial why, string comment, ProgramKind? program, params NftStatement[] matches) =>
        Denied(why, comment, comment, program, ActDecide.Drop, matches);

    private IEnumerable<NftRule> Denied(
        Denial why, string comment, string told, ProgramKind? program, NftStatement verdict, NftStatement[] matches)
    {
        if (DeniedWait && why is Denial.TiersOut or Denial.ProfilesOut) yield return new([.. matches, DnsChains.Wait]);
        if (TellsDenied) yield return new([.. matches, .. new LogPrefix(true, program, told).Tell]);
        yield return new([.. matches, new ActCountBy(Denials.Counter(why)), verdict], comment);
    }

    public NftStatement Deny(bool dropsOnly) => Rejects && !dropsOnly ? new ActReject() : ActDecide.Drop;

    /// <summary>A workload that encapsulates by itself would go past the policies of whom it sends to.</summary>
    public IEnumerable<NftRule> EncapsulationDrops
    {
        get
        {
            if (!AllowsVxlanFromWorkloads)
                yield return new(new MatchProtocols([(byte)IpProtocol.Udp]), new MatchPorts(NftEnd.Destination, VxlanPort), ActDecide.Drop);
            if (!AllowsIpipFromWorkloads) yield return new(new MatchProtocols([IpInIp]), ActDecide.Drop);
        }
    }
}
