using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>What those who look in may see of what is done to packets. Thread-safe.</summary>
public interface IDataplane
{
    NatView View { get; }

    PolicyView Policy { get; }

    /// <summary>Policies, endpoints, and what was counted; null: no policy is enforced.</summary>
    Task<PolicyPicture?> PolicyPictureAsync(CancellationToken stop = default);
    DeniedView Denied { get; }

    /// <summary>Rules that go by names.</summary>
    DnsView Dns { get; }

    /// <summary>What endpoints have been answered of names.</summary>
    /// <param name="name">Of this one alone; null: of all.</param>
    Task<ImmutableArray<DnsCacheEntry>> DnsCacheAsync(string? name, CancellationToken stop = default);

    /// <summary>What was heard of the DNS since; and from now on for a while what is heard is kept for whoever asks so again.</summary>
    /// <param name="after"><see cref="DnsHeard.Last"/> of the answer before; null: he begins, and hears what comes from now on.</param>
    Task<DnsHeard> DnsWatchAsync(long? after, CancellationToken stop = default);

    /// <summary>The traps that policies stand in, on all nodes; null: no policy is enforced.</summary>
    /// <param name="ssh">Whether another connection like this one would be let in is asked, too. Null: it is not.</param>
    Task<ImmutableArray<PolicyFinding>?> LintPolicyAsync(SshConnection? ssh, CancellationToken stop = default);

    /// <summary>What becomes of the packet's source, by the rules in force.</summary>
    Task<NatExplanation> ExplainAsync(Packet packet, CancellationToken stop = default);

    /// <summary>What policies and profiles in use here have decided, as the kernel has it now: it is asked each time, and only
    /// then.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel refused to tell.</exception>
    Task<PolicyCounts> CountPoliciesAsync(CancellationToken stop = default);

    /// <summary>By whom a connection's first packet is let through, or is not, by the rules in force; null: no policy is
    /// enforced.</summary>
    Task<PolicyExplanation?> ExplainPolicyAsync(PolicyQuestion question, CancellationToken stop = default);

    ServicesStatus Services { get; }

    /// <summary>All translations, by their ids.</summary>
    Task<ServicesView> ServicesAsync(CancellationToken stop = default);

    /// <summary>What becomes of a connection's first packet by the translations, and of it where the kernel has it already; null: services
    /// are off.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel refused to tell its connections.</exception>
    Task<TranslationExplanation?> ExplainTranslationAsync(Packet packet, CancellationToken stop = default);

    /// <summary>Gateways out of the cluster, and whose packets do not leave.</summary>
    EgressView Egress { get; }

    /// <summary>By which gateway a pod's packets to an address leave, as far as this node knows; null: egress is off.</summary>
    Task<EgressExplanation?> ExplainEgressAsync(ResourceKey pod, Address destination, CancellationToken stop = default);

    /// <summary>The flows that leave by this node, as the kernel has them now; null: egress is off.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel refused to tell.</exception>
    Task<EgressFlowCounts?> CountEgressFlowsAsync(CancellationToken stop = default);

    /// <summary>Another process has taken over what the command line said, or is about to: it changes nothing here any more.</summary>
    bool IsHandedOver { get; }

    /// <summary>By what this node is reached that one would take which the command line does not have yet; null: by nothing.</summary>
    Task<string?> NodeTakenAsync(Translation translation, CancellationToken stop = default);

    /// <summary>Adds one for the command line, or changes the one that it has under this key; ends when it is in force, or known to
    /// wait.</summary>
    /// <returns>Null: services are off.</returns>
    Task<TranslationRow?> AddTranslationAsync(Translation translation, CancellationToken stop = default);

    /// <summary>Removes one that the command line has added.</summary>
    /// <returns>False: it has none of this id.</returns>
    Task<bool> RemoveTranslationAsync(int id, CancellationToken stop = default);

    /// <summary>The connections that translations here have made, as the kernel has them now; null: services are off.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel refused to tell.</exception>
    Task<ImmutableArray<ServiceSession>?> SessionsAsync(SessionFilter which, CancellationToken stop = default);

    /// <summary>Ends some: the next packet of each is the first of another.</summary>
    /// <returns>How many; null: services are off.</returns>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel refused.</exception>
    Task<int?> EndSessionsAsync(SessionFilter which, CancellationToken stop = default);

    /// <summary>Null: services are off.</summary>
    Task<SourceNatView?> SourceNatAsync(CancellationToken stop = default);

    /// <summary>The command line says one thing more of source NAT; ends when it is in force.</summary>
    /// <returns>What it is now; null: services are off.</returns>
    Task<SourceNatView?> EditSourceNatAsync(SourceNatEdit edit, CancellationToken stop = default);

    /// <summary>The command line takes back all that it has said of source NAT; ends when that is in force.</summary>
    /// <returns>As above.</returns>
    Task<SourceNatView?> ResetSourceNatAsync(CancellationToken stop = default);

    /// <summary>Ends the connections that go to there with a source that source NAT gives: what it excludes counts for them, too, by
    /// then.</summary>
    /// <returns>How many; null: services are off.</returns>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel refused.</exception>
    Task<int?> EndMaskedAsync(Prefix destination, CancellationToken stop = default);
}
