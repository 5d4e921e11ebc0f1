using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Conformance.Dns;
using Calico.Bgp.Conformance.Policy;
using Record = Calico.Bgp.Conformance.Dns.Record;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>A pod that may go to names alone, and leaves by a gateway: so do its questions, and what their answers open.</summary>
public sealed class EgressNamesTests : IAsyncLifetime
{
    private const string Server4 = "198.51.100.53", Name = "www.example.org";

    private EgressSite site = null!;
    private readonly List<NameServer> servers = [];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync();
        await site["outside"].IpAsync($"addr add {Server4}/24 dev eth0");
        servers.Add(new(site["outside"], Server4, 53)
        {
            Answers = asked => Message.Answer(asked, Record.Of(EgressSite.Outside4, 300)),
        });
        site.Write(more: $$"""
            apiVersion: projectcalico.org/v3
            kind: FelixConfiguration
            metadata: { name: default }
            spec: { dnsTrustedServers: ["{{Server4}}"] }
            ---

            """ + Yaml.Global("names", "selector: \"projectcalico.org/namespace == 'alpha'\", types: [Egress], egress: ["
                + "{ action: Allow, protocol: UDP, destination: { ports: [53] } }, "
                + $"{{ action: Allow, protocol: TCP, destination: {{ domains: [\"{Name}\"] }} }}]"));
    }

    public async Task DisposeAsync()
    {
        foreach (var server in servers) server.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    private async Task AskAsync(string pod)
    {
        using var socket = site[pod].Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(EgressSite.AddressOf(pod)), 0));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(Server4), 53), patience.Token);
        await socket.SendAsync(Message.Query(1, Name, Record.A), patience.Token);
        Assert.NotEqual(0, await socket.ReceiveAsync(new byte[512], patience.Token));
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task What_a_name_opens_is_reached_by_the_gateway_and_the_policy_decides_before()
    {
        await site.StartWithAsync("client", $"nat: {{ enabled: true }}\n{site.Egress}\npolicy: {{ dns: {{ {NameSite.Patient} }} }}");
        await site.StartAsync("gate1", "gate2");
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4]) await site.AnnouncedAsync(address);
        await site.HeardAsync("client", 2);
        // Nobody has asked for a name.
        await Until.TrueAsync("b leaves", async () => await site.SeenAsync("b", attempts: 1) != null, 60, site.SaidAsync);
        Assert.Null(await site.SeenAsync("a", attempts: 1));
        var others = await site.OthersAsync();
        await AskAsync("a");
        Assert.Contains(await site.SeenAsync("a"), (string[])[EgressSite.Red4, EgressSite.RedToo4]);
        // By no other protocol, which no rule has.
        Assert.Null(await site.SeenAsync("a", Transport.Udp, attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
    }
}
