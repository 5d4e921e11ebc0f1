using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Kernel.Foreign;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>Facts of a host that policies' packets depend on.</summary>
internal interface IPolicyHost : IHostFacts, ILinks
{
    /// <summary>There is an interface of this name; null: nobody knows.</summary>
    bool? Has(string link) => Links?.Contains(link);

    /// <summary>What the source becomes that leaves by this interface, where it gets the interface's own.</summary>
    Address? Masqueraded(string link, Address towards);
}

/// <summary>A question as the objects answer it: whose addresses are meant, and which ways they go here.</summary>
internal sealed record PolicyCase(Address Source, Address Destination, PolicyQuestion Question)
{
    /// <summary>Of the endpoints of this node's workloads.</summary>
    public required IReadOnlyDictionary<Address, string> Interfaces { get; init; }

    /// <summary>The service that the destination belongs to; null: none.</summary>
    public ResourceKey? Service { get; init; }

    /// <summary>Where it leads; none: nowhere.</summary>
    public IReadOnlyList<PacketRedirect> Ways { get; init; } = [];

    /// <summary>What others' rules make of the destination; null: they have not been looked at.</summary>
    public ForeignTranslation? Foreign { get; init; }

    /// <summary>What was found in the kernel counts before what objects say of others; of those that we translate ourselves, and where
    /// it could not be found out, objects say who may get it.</summary>
    /// <param name="translatesHere">This daemon is the node's kube-proxy.</param>
    public PolicyCase With(ForeignTranslation found, bool translatesHere) => this with
    {
        Foreign = found,
        Ways = found.By != null ? found.Ways : translatesHere || !found.Lost.IsEmpty ? Ways : [],
    };

    public Packet Packet(IPolicyHost host, PacketRedirect redirect)
    {
        var protocol = Question.Protocol;
        if (protocol == IpProtocol.Icmp && !Source.IsIPv4) protocol = IpProtocol.Icmp6;
        var (type, code) = Question.Icmp ?? (protocol == IpProtocol.Icmp ? (byte)8 : (byte)128, (byte)0);
        var isIcmp = protocol is IpProtocol.Icmp or IpProtocol.Icmp6;
        return new(Source, Destination)
        {
            Protocol = protocol,
            SourcePort = Question.SourcePort,
            DestinationPort = Question.Port,
            State = Question.State,
            IcmpType = isIcmp ? type : null,
            IcmpCode = isIcmp ? code : null,
            Mark = 0,
            Redirect = redirect,
            In = IsOwn(host) ? null : Question.FromInterface ?? Coming(host),
            Out = Leaving(redirect == PacketRedirect.None ? Destination : redirect.To, host),
        };
    }

    private bool IsOwn(IPolicyHost host) => Question.FromInterface == null && host.IsLocal(Source) == true;

    /// <summary>The interface by which it leaves to there; null: it ends here, or nobody knows.</summary>
    public string? Leaving(Address to, IPolicyHost host) =>
        host.IsLocal(to) != true ? host.LinkTo(to) ?? Interfaces.GetValueOrDefault(to) : IsOwn(host) ? BaseChains.Loopback : null;

    /// <summary>A workload's packets come by its interface, whether or not a route leads back there; where that is not here, by the one
    /// that does.</summary>
    private string? Coming(IPolicyHost host)
    {
        var said = Interfaces.GetValueOrDefault(Source);
        return said != null && host.Has(said) != false ? said : host.LinkTo(Source) ?? said;
    }
}
