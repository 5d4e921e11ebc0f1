using System.Net.Sockets;
using Calico.Bgp.Conformance.Packets;
using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>What went while no daemon was there ends as it would have ended under its eyes.</summary>
public sealed class EarlierRunTests : IAsyncLifetime
{
    private ServiceSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.Bgpctl, "nft") == null) site = await ServiceSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>One port, and behind another address whatever comes.</summary>
    private static string Services(int backend, int port = 80, string anyAt = "30.0.0.9", string how = "delete") => $$"""
        services:
          onBackendRemoval: {{how}}
          drainTime: 3s
          translations:
            - { protocol: tcp, vip: {{Vip4}}, port: {{port}}, backends: [{ to: "{{Backend(backend, six: false)}}:{{Port}}" }] }
            - { protocol: any, vip: {{anyAt}}, port: 0, backends: [{ to: "{{Backend(backend, six: false)}}" }] }

        """;

    private Task<Socket> ToPortAsync() => ConnectAsync(Vip4, 80);

    private Task<Socket> ToAnyAsync() => ConnectAsync("30.0.0.9", Port);

    private async Task<Socket> ConnectAsync(string to, int port)
    {
        Socket? socket = null;
        await Until.TrueAsync("it is translated", async () =>
        {
            try { socket = await Answerer.ConnectAsync(site.Client, Client4, to, port, seconds: 2); }
            catch (Exception early) when (early is OperationCanceledException or SocketException) { return false; }
            await Answerer.AnswerAsync(socket);
            return true;
        }, Patience, site.LogAsync);
        return socket!;
    }

    private Task EndsAsync(Socket one) =>
        Until.TrueAsync("it ends", async () => !await one.GoesOnAsync(5), Patience, site.LogAsync);

    [NeedsTheory(Needs.Daemon, Needs.Bgpctl, "nft")]
    [InlineData("KILL", false)]
    [InlineData("TERM", false)]
    [InlineData("KILL", true)]
    public async Task Of_translations_that_went_and_of_their_backends(string signal, bool isBackend)
    {
        await site.StartAsync(Services(0));
        using var toPort = await ToPortAsync();
        using var toAny = await ToAnyAsync();
        await site.EndAsync(signal);
        Assert.True(await toPort.GoesOnAsync() && await toAny.GoesOnAsync());
        await site.StartAsync(isBackend ? Services(1) : Services(0, port: 81, anyAt: "30.0.0.8"));
        await EndsAsync(toPort);
        await EndsAsync(toAny);
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task What_is_said_again_goes_on()
    {
        await site.StartAsync(Services(0));
        using var toPort = await ToPortAsync();
        using var toAny = await ToAnyAsync();
        await site.EndAsync("KILL");
        // Of a third it is seen that it has looked.
        await site.StartAsync(Services(0) + $$"""
                - { protocol: tcp, vip: {{Vip4}}, port: 443, backends: [{ to: "{{Backend(0, six: false)}}:{{Port}}" }] }
            """);
        using var third = await ConnectAsync(Vip4, 443);
        await site.EndAsync("KILL");
        await site.StartAsync(Services(0));
        await EndsAsync(third);
        Assert.True(await toPort.GoesOnAsync() && await toAny.GoesOnAsync());
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task A_drain_that_a_restart_interrupts_comes_to_its_end()
    {
        await site.StartAsync(Services(0, how: "drain"));
        using var toPort = await ToPortAsync();
        await site.ReloadAsync(Services(1, how: "drain"));
        await site.EndAsync("KILL");
        await site.StartAsync(Services(1, how: "drain"));
        await EndsAsync(toPort);
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task What_is_kept_of_a_translation_that_went_is_shown_and_can_be_ended()
    {
        await site.StartAsync(Services(0, how: "keep"));
        using var toPort = await ToPortAsync();
        await site.ReloadAsync(Services(0, port: 81, how: "keep"));
        await ShowsAsync(isGone: true);
        await site.EndAsync("TERM");
        await site.StartAsync(Services(0, how: "keep"));
        await ShowsAsync(isGone: false);
        await site.EndAsync("TERM");
        await site.StartAsync(Services(0, port: 81, how: "keep"));
        await ShowsAsync(isGone: true);
        Assert.True(await toPort.GoesOnAsync());
        var said = await site.CnatAsync("session", "purge", "ip", Backend(0, six: false));
        Assert.True(said.Good, $"{said}");
        Assert.False(await toPort.GoesOnAsync(5));
    }

    private Task ShowsAsync(bool isGone) => Until.TrueAsync("it is shown", async () =>
        (await site.CnatAsync("show", "session", "ip", Vip4)).Output.Split('\n')
            .Any(row => row.Contains(Vip4, StringComparison.Ordinal) && row.Contains(" gone ", StringComparison.Ordinal) == isGone),
        Patience, site.LogAsync);
}
