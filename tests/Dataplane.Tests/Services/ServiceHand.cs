using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Dataplane.Services.Kubernetes;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests.Services;

/// <summary>What the table has after all that was written.</summary>
internal sealed class ServiceHand : IHostFacts
{
    private readonly EndingSessions sessions;
    private readonly ServiceNat services;
    private readonly WrittenTable table = new();

    public ServiceHand(params Translation[] translations)
    {
        sessions = Ending(Clock);
        services = new(sessions, Clock, NullLogger.Instance);
        Configure(translations);
    }

    /// <summary>What is never said to be in force ends nothing.</summary>
    private static EndingSessions Ending(TimeProvider clock) =>
        new(new ConnectionTable(), new Loops(clock, NullLogger<Loops>.Instance, (_, _) => { }), clock, NullLogger.Instance);

    public ManualTimeProvider Clock { get; } = new();

    /// <summary>Those who announce services' addresses have announced these, and do no more.</summary>
    public HashSet<string> Announced { get; } = [];

    /// <summary>Those of the last writing.</summary>
    public ImmutableArray<NftChange> Changes { get; private set; }

    /// <summary>Elements of it.</summary>
    public int Elements => Changes.Sum(change => change switch
    {
        NftChange.PutElements(_, var some) => some.Length,
        NftChange.RemoveElements(_, var some) => some.Length,
        _ => 0,
    });

    /// <summary>Connections are to be ended.</summary>
    public bool HasEnding => sessions.AreGoing;

    public ServicesView View => services.View;
    public ServicesStatus Status => services.Status;

    /// <summary>The id of the translation that has made a connection to there; null: none has.</summary>
    public int? Owner(string destination, IpProtocol protocol, ushort? port) => services.Owners?.Of(
        new(Address.Parse("10.0.0.9"), Address.Parse(destination), (byte)protocol, false) { DestinationPort = port });

    public IEnumerable<HealthCheck> HealthChecks => services.HealthChecks;

    public void Configure(params Translation[] translations) =>
        Apply(new ServiceSettings { Enabled = true, Translations = [.. translations] });

    /// <summary>By the command line.</summary>
    public void Add(Translation translation)
    {
        services.Add(translation);
        Write();
    }

    public void Apply(ServiceSettings? settings)
    {
        services.Apply(new DataplaneChange.Configured(new("node1", Services: settings)));
        Write();
    }

    /// <summary>By what another proxy is known to be here; null: there is none.</summary>
    public void Beside(string? proxy)
    {
        services.Apply(new DataplaneChange.OtherProxy(proxy));
        Write();
    }

    /// <summary>Objects come, change, or go.</summary>
    public void Change(params ResourceChange[] changes)
    {
        foreach (var change in changes) services.Apply(new DataplaneChange.Object(change));
        Write();
    }

    public void Have(params (int Link, string Name, string Address)[] addresses)
    {
        services.Apply(new DataplaneChange.Machine(new(1,
            addresses.Select(one => (one.Link, one.Name)).Distinct().ToImmutableDictionary(one => one.Link,
                one => new Link(one.Link, one.Name, 1, 1500, 0, null)),
            [.. addresses.Select(one => new LinkAddress(one.Link, Address.Parse(one.Address), 24, null, 0, false))],
            KernelSnapshot.Empty.Routes)));
        Write();
    }

    public void Write()
    {
        services.Look();
        services.Withdrawn([.. Announced.Select(Address.Parse)]);
        services.Write(table.For(services));
        Changes = table.Take();
    }

    public IEnumerable<string> Timeouts => table.Timeouts;

    public string Text => table.Text;

    public PacketEnd[] Ends(string to, IpProtocol? protocol = IpProtocol.Tcp, ushort? port = 80, ushort? sourcePort = 40000,
        string? from = null, string? link = "eth0", string? outLink = "eth1") =>
        [.. PacketWalk.Ends(table.Packets(), this,
            new Packet(Address.Parse(from ?? (to.Contains(':') ? "10::9" : "10.0.0.9")), Address.Parse(to))
            {
                Protocol = protocol,
                SourcePort = sourcePort,
                DestinationPort = port,
                In = link,
                Out = outLink,
            })];

    /// <summary>Where the packet goes, and as whose; null: nowhere.</summary>
    public string? Ask(
        string to, IpProtocol protocol = IpProtocol.Tcp, ushort? port = 80, ushort sourcePort = 40000, string? from = null,
        string? link = "eth0", string? outLink = "eth1")
    {
        var end = Assert.Single(Ends(to, protocol, port, sourcePort, from, link, outLink));
        if (end.Verdict != PacketVerdict.Accept) return null;
        return $"{end.Source?.First?.ToString() ?? (end.Source != null ? "masquerade" : "")}->"
            + $"{end.Destination?.First}{(end.Destination?.Ports is { } ports ? $":{ports.From}" : "")}";
    }

    /// <summary>What this host itself sends comes from one of these.</summary>
    public HashSet<Address> Own { get; } = [];

    public bool? IsLocal(Address address) => Own.Contains(address);
    public bool? IsLocalOn(Address address, string link) => false;
    public bool? ComesBackBy(Address source, uint mark, string link) => true;
}
