using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Services.Kubernetes;
using Calico.Bgp.Kernel;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>What all rules depend on, from bgpd.yaml and the objects that speak for the whole node.</summary>
internal sealed class PolicyFactsReader
{
    private readonly Dictionary<string, FelixConfiguration> configurations = [];
    private readonly Dictionary<string, IPPool> pools = [];
    private DataplaneSettings settings = new("");
    private BgpConfiguration? bgp;
    private bool hasIpvs;

    public PolicyFacts Now { get; private set; } = new(PolicyMarks.Of(PolicySettings.DefaultMarkMask));

    public void Configure(DataplaneSettings newest)
    {
        settings = newest;
        Follow();
    }

    public void Apply(KernelSnapshot machine)
    {
        var now = OtherProxies.HasIpvs(machine);
        if (now == hasIpvs) return;
        hasIpvs = now;
        Follow();
    }

    /// <returns>True: something of it is otherwise.</returns>
    public bool Apply(ResourceChange change)
    {
        if (change.Kind == Kinds.FelixConfiguration && change.After is FelixConfiguration felix) configurations[change.Key.Name] = felix;
        else if (change.Kind == Kinds.FelixConfiguration) configurations.Remove(change.Key.Name);
        else if (change.Kind == Kinds.IPPool && change.After is IPPool pool) pools[change.Key.Name] = pool;
        else if (change.Kind == Kinds.IPPool) pools.Remove(change.Key.Name);
        else if (change.Kind == Kinds.BgpConfiguration
            && change.Key.Name == FelixConfiguration.Default) bgp = (BgpConfiguration?)change.After;
        else return false;
        var before = Now;
        Follow();
        return before != Now;
    }

    private static DnsMode ModeOf(DnsSettings said, FelixConfiguration felix) => said.Mode ?? felix.DnsPolicyMode switch
    {
        DnsPolicyMode.NoDelay => DnsMode.None,
        DnsPolicyMode.DelayDeniedPacket => DnsMode.DenyDelay,
        _ => DnsMode.Hold,
    };

    /// <summary>Where denied packets cannot wait, responses do: the first packet passes all the same.</summary>
    private static DnsFacts DnsOf(DnsSettings said, FelixConfiguration felix, DnsMode mode, bool hasBit) => new()
    {
        Mode = mode == DnsMode.DenyDelay && !hasBit ? DnsMode.Hold : mode,
        LacksMark = mode == DnsMode.DenyDelay && !hasBit,
        Deadline = said.Deadline,
        File = said.CacheFile ?? felix.DnsCacheFile,
        SaveInterval = felix.DnsCacheSaveInterval ?? TimeSpan.FromSeconds(60),
        Epoch = felix.DnsCacheEpoch ?? 0,
        Cache = new() { Isolation = said.Isolation, MinTtl = said.MinTtl, ExtraTtl = felix.DnsExtraTtl ?? TimeSpan.Zero },
    };

    private void Follow()
    {
        var felix = FelixConfiguration.Effective(configurations.GetValueOrDefault(FelixConfiguration.Default),
            configurations.GetValueOrDefault(FelixConfiguration.NodePrefix + settings.Node));
        var policy = settings.Policy ?? new();
        var said = policy.Dns ?? new();
        var mode = ModeOf(said, felix);
        var waited = mode == DnsMode.DenyDelay ? policy.BitOfWaiting(settings.Egress) : 0;
        Now = new(PolicyMarks.Of(policy.MarkMask) with { Waited = waited })
        {
            Dns = DnsOf(said, felix, mode, waited != 0),
            DnsServers = felix.DnsTrustedServers ?? DnsServer.Default,
            LogsDenied = settings.Policy?.LogDenied == true,
            WorkloadPrefixes = felix.InterfacePrefixes.Count > 0 ? felix.InterfacePrefixes : PolicyFacts.DefaultWorkloadPrefixes,
            VxlanPort = (ushort)(felix.VxlanPort ?? PolicyFacts.DefaultVxlanPort),
            VxlanNetwork = (uint)(felix.VxlanVni ?? (int)PolicyFacts.DefaultVxlanNetwork),
            WireguardPort = (ushort)(felix.WireguardListeningPort ?? PolicyFacts.DefaultWireguardPort),
            WireguardPort6 = (ushort)(felix.WireguardListeningPortV6 ?? PolicyFacts.DefaultWireguardPort6),
            Tunnels = TunnelsInUse.Of(felix, pools.Values),
            ExternalNodes = felix.ExternalNodes,
            HasIpvs = hasIpvs,
            Rejects = felix.FilterDenyAction == DenyAction.Reject,
            AllowsInvalid = felix.DisableConntrackInvalidCheck == true,
            EndpointToHost = felix.DefaultEndpointToHostAction ?? EndpointToHostAction.Drop,
            FailsafesIn = felix.FailsafeInboundHostPorts ?? Failsafes.DefaultIn,
            FailsafesOut = felix.FailsafeOutboundHostPorts ?? Failsafes.DefaultOut,
            AllowsVxlanFromWorkloads = felix.AllowVxlanPacketsFromWorkloads == true,
            AllowsIpipFromWorkloads = felix.AllowIpipPacketsFromWorkloads == true,
            ServiceNets = bgp == null ? [] : [.. bgp.ServiceClusterIPs, .. bgp.ServiceExternalIPs, .. bgp.ServiceLoadBalancerIPs],
            LoopPrevention = felix.ServiceLoopPrevention ?? ServiceLoopPrevention.Drop,
        };
    }
}
