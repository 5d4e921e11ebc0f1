// The commands that ask bgpd: each shows the answer once or, with --watch, again after each change.

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Cnat;
using Calico.Bgp.Bgpctl.Views;

namespace Calico.Bgp.Bgpctl;

internal sealed class DaemonCommands(DaemonClient daemon, Screen screen, TimeProvider time, bool json, bool watch) : IDisposable
{
    private const int PieceSize = 1000;

    public Screen Screen => screen;

    private DateTimeOffset Now => time.GetUtcNow();

    public void Dispose() => daemon.Dispose();

    /// <summary>That nobody answers is no failure of this question.</summary>
    public async Task VersionAsync(CancellationToken stop)
    {
        VersionAnswer answer;
        try
        {
            var body = await daemon.GetTextAsync("/v1/status", stop).ConfigureAwait(false);
            answer = new(Release.Version, daemon.Read(body, AnswersJson.Default.StatusAnswer).Version, null);
        }
        catch (Refusal none)
        {
            answer = new(Release.Version, null, none.Message);
        }
        Say(
            JsonSerializer.Serialize(answer, AnswersJson.Legible.VersionAnswer),
            [$"bgpctl {answer.Bgpctl}", $"bgpd   {answer.Bgpd ?? $"no answer: {answer.Problem}"}"]);
    }

    public Task StatusAsync(CancellationToken stop) =>
        ShowAsync("status", "/v1/status", body => StatusView.Of(daemon.Read(body, AnswersJson.Default.StatusAnswer)), stop);

    public async Task PeersAsync(CancellationToken stop)
    {
        if (watch || json)
        {
            await ShowAsync("peers", "/v1/peers", body => PeersView.Of(Peers(body), Now), stop).ConfigureAwait(false);
            return;
        }
        var peers = Peers(await daemon.GetTextAsync("/v1/peers", stop).ConfigureAwait(false));
        var why = peers.Count == 0 ? await WhyNoPeersAsync(stop).ConfigureAwait(false) : [];
        screen.Write(PeersView.Of(peers, Now, why));
    }

    private IReadOnlyList<PeerAnswer> Peers(string body) => daemon.Read(body, AnswersJson.Default.IReadOnlyListPeerAnswer);

    /// <summary>That this node is none of the resources', for one.</summary>
    private async Task<string[]> WhyNoPeersAsync(CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/status", stop).ConfigureAwait(false);
        if (daemon.Read(body, AnswersJson.Default.StatusAnswer).Resources is not { } resources) return [];
        var node = $"Node/{resources.Node}";
        return [.. resources.Problems.Where(problem => problem.Object == node).Select(problem => $"{node}: {problem.Reason}")];
    }

    public Task BfdAsync(CancellationToken stop) =>
        ShowAsync("bfd", "/v1/bfd", body => BfdView.Of(daemon.Read(body, AnswersJson.Default.IReadOnlyListBfdAnswer), Now), stop);

    public Task KernelAsync(CancellationToken stop) =>
        ShowAsync("kernel", "/v1/kernel", body => KernelView.Of(daemon.Read(body, AnswersJson.Default.KernelAnswer), Now), stop);

    public async Task NatAsync(CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/nat", stop).ConfigureAwait(false);
        var nat = daemon.Read(body, AnswersJson.Default.NatAnswer);
        Require(nat.Enabled, body, () => SectionOff.Of("NAT is", "nat", nat.Problem));
        Show(body, () => NatView.Of(nat, Now));
    }

    /// <param name="packet">What is said of it, by the query's keys.</param>
    public async Task NatExplainAsync(IEnumerable<(string Key, string? Value)> packet, CancellationToken stop)
    {
        var said = packet.Where(one => one.Value != null).Select(one => $"{one.Key}={Uri.EscapeDataString(one.Value!)}");
        var path = $"/v1/nat/explain?{string.Join('&', said)}";
        var body = await daemon.GetTextAsync(path, stop).ConfigureAwait(false);
        Show(body, () => NatView.Of(daemon.Read(body, AnswersJson.Default.NatExplanationAnswer)));
    }

    /// <param name="name">Of one gateway; null: all.</param>
    public async Task EgressAsync(string? name, CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/egress?flows=true", stop).ConfigureAwait(false);
        var egress = daemon.Read(body, AnswersJson.Default.EgressAnswer);
        Require(egress.Enabled, body, () => SectionOff.Of("egress is", "egress", egress.NotInForce));
        if (name != null && EgressView.WhyNone(egress, name) is { } why) throw new Refusal(why);
        Show(body, () => EgressView.Of(egress, name));
    }

    public async Task EgressExplainAsync(string pod, string to, CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/egress/explain" + Query(("pod", pod), ("to", to)), stop).ConfigureAwait(false);
        Show(body, () => EgressView.Of(daemon.Read(body, AnswersJson.Default.EgressExplanationAnswer)));
    }

    public async Task PoliciesAsync(CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/policy/list", stop).ConfigureAwait(false);
        Show(body, () => PolicyListView.Of(daemon.Read(body, AnswersJson.Default.PolicyListAnswer)));
    }

    public async Task PolicyAsync(string name, CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/policy/show" + Query(("name", name)), stop).ConfigureAwait(false);
        Show(body, () => PolicyListView.Of(daemon.Read(body, AnswersJson.Default.PolicyDetailsAnswer)));
    }

    public async Task PolicyEndpointsAsync(string? name, CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/policy/endpoints" + Query(("name", name)), stop).ConfigureAwait(false);
        Show(body, () => PolicyListView.Of(daemon.Read(body, AnswersJson.Default.IReadOnlyListPolicyEndpointAnswer), isOne: name != null));
    }

    public Task PolicyTryAsync(string file, double? within, CancellationToken stop) => Trying.TryAsync(file, within, stop);

    public Task PolicyConfirmAsync(CancellationToken stop) => Trying.ConfirmAsync(stop);

    public Task PolicyRevertAsync(CancellationToken stop) => Trying.RevertAsync(stop);

    public CnatCommands Cnat => new(daemon, screen, time, json);

    public CnatCommands CnatTo(TextWriter output) => new(daemon, new(output, screen.Errors, null), time, json);

    private Trying Trying => new(daemon, screen, time, json);

    /// <returns>False: a trap was found.</returns>
    public async Task<bool> PolicyLintAsync(CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/policy/lint" + Query(("ssh", SshSession.Find()?.ToString())), stop).ConfigureAwait(false);
        var found = daemon.Read(body, AnswersJson.Default.PolicyLintAnswer);
        Show(body, () => PolicyLintView.Of(found, SshSession.Misunderstood));
        return found.Findings.Count == 0;
    }

    public async Task PolicyExplainAsync(
        (string Source, string Destination, string Protocol, string? From) asked, CancellationToken stop)
    {
        var query = Query(("src", asked.Source), ("dst", asked.Destination), ("protocol", asked.Protocol), ("from", asked.From));
        var body = await daemon.GetTextAsync("/v1/policy/explain" + query, stop).ConfigureAwait(false);
        Show(body, () => PolicyExplainView.Of(daemon.Read(body, AnswersJson.Default.PolicyExplanationAnswer)));
    }

    public async Task DnsCacheAsync(string? name, CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/dns/cache" + Query(("name", name)), stop).ConfigureAwait(false);
        Show(body, () => DnsCacheView.Of(daemon.Read(body, AnswersJson.Default.DnsCacheAnswer)));
    }

    /// <summary>Each response as a line, when it is heard.</summary>
    public async Task DnsWatchAsync(CancellationToken stop)
    {
        const string nobody = "."; // of whom nothing is listed
        var body = await daemon.GetTextAsync("/v1/dns/cache" + Query(("name", nobody)), stop).ConfigureAwait(false);
        if (DnsCacheView.WhyUnheard(daemon.Read(body, AnswersJson.Default.DnsCacheAnswer)) is { } why) throw new Refusal(why);
        try
        {
            await new Watcher(daemon, screen, time, json).DnsAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { } // Nothing else ends it.
    }

    /// <summary>To watch: each flow as a line, when it is told.</summary>
    public async Task DeniedAsync(CancellationToken stop)
    {
        var body = await daemon.GetTextAsync("/v1/policy/denied", stop).ConfigureAwait(false);
        if (!watch) Show(body, () => DeniedView.Of(daemon.Read(body, AnswersJson.Default.DeniedAnswer)));
        else if (DeniedView.WhyNone(daemon.Read(body, AnswersJson.Default.DeniedAnswer)) is { } why) throw new Refusal(why);
        else await new Watcher(daemon, screen, time, json).DeniedAsync(stop).ConfigureAwait(false);
    }

    public Task PeerAsync(string name, CancellationToken stop)
    {
        var path = $"/v1/peers/{Uri.EscapeDataString(name)}";
        Page View(string body) => PeerView.Of(daemon.Read(body, AnswersJson.Default.PeerAnswer), Now);
        return watch ? WatchAsync("peers", path, View, stop) : ShowAsync("peers", path, View, stop);
    }

    public Task ExplainRouteAsync(string prefix, CancellationToken stop) => ShowAsync(
        "routes", $"/v1/explain/route?prefix={Uri.EscapeDataString(prefix)}",
        body => ExplainView.Route(daemon.Read(body, AnswersJson.Default.RouteExplanationAnswer)), stop);

    public Task ExplainPeerAsync(string name, CancellationToken stop) => ShowAsync(
        "peers", $"/v1/explain/peer/{Uri.EscapeDataString(name)}",
        body => ExplainView.Peer(daemon.Read(body, AnswersJson.Default.PeerExplanationAnswer), Now), stop);

    /// <param name="service">NAMESPACE/NAME.</param>
    public Task ExplainServiceAsync(string service, CancellationToken stop)
    {
        var path = $"/v1/explain/service/{string.Join('/', service.Split('/').Select(Uri.EscapeDataString))}";
        Page View(string body) => ExplainView.Service(daemon.Read(body, AnswersJson.Default.ServiceExplanationAnswer));
        return ShowAsync("status", path, View, stop);
    }

    public async Task RoutesAsync(RouteQuery query, CancellationToken stop)
    {
        if (watch) await new Watcher(daemon, screen, time, json).RoutesAsync(query, PieceSize, stop).ConfigureAwait(false);
        else if (json) await CopyAsync(query.Path(lines: false), stop).ConfigureAwait(false);
        else await PiecesAsync(query.Path(lines: true), AnswersJson.Default.RouteAnswer, RoutesView.Of, stop).ConfigureAwait(false);
    }

    public Task KernelRoutesAsync(CancellationToken stop) => json
        ? CopyAsync("/v1/kernel/routes", stop)
        : PiecesAsync("/v1/kernel/routes?format=ndjson", AnswersJson.Default.OwnRouteAnswer, KernelView.Routes, stop);

    public async Task ReloadAsync(bool check, CancellationToken stop)
    {
        var body = await daemon.PostAsync(check ? "/v1/reload?check=true" : "/v1/reload", stop).ConfigureAwait(false);
        var changes = daemon.Read(body, AnswersJson.Default.ReloadAnswer).Changes;
        IEnumerable<string> lines = (changes.Count, check) switch
        {
            (0, _) => ["nothing changes"],
            (_, true) => ["would change:", .. changes],
            _ => ["changed:", .. changes],
        };
        Say(body, lines);
    }

    public async Task OrderAsync(string peer, string order, string? text, CancellationToken stop)
    {
        var said = text == null ? "" : $"?text={Uri.EscapeDataString(text)}";
        var body = await daemon.PostAsync($"/v1/peers/{Uri.EscapeDataString(peer)}/{order}{said}", stop).ConfigureAwait(false);
        var done = daemon.Read(body, AnswersJson.Default.OrderAnswer);
        Say(body, [$"{done.Peer}: {done.Order} was ordered; `bgpctl peers {done.Peer}` shows what came of it"]);
    }

    public async Task DrainAsync(string? peer, double? wait, string? reason, CancellationToken stop)
    {
        var seconds = wait is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time}") : null;
        var path = "/v1/drain" + Query(("peer", peer), ("wait", seconds), ("text", reason));
        var body = await daemon.PostAsync(path, stop).ConfigureAwait(false);
        var drained = daemon.Read(body, AnswersJson.Default.DrainedAnswer).Peers;
        Say(body, drained.Count == 0
            ? ["drained already"]
            : drained.Select(name => $"{name}: is drained, then stays down; `bgpctl peers` shows how far it is, `bgpctl undrain` ends it"));
    }

    public async Task UndrainAsync(string? peer, CancellationToken stop)
    {
        var body = await daemon.PostAsync("/v1/undrain" + Query(("peer", peer)), stop).ConfigureAwait(false);
        var ended = daemon.Read(body, AnswersJson.Default.DrainedAnswer).Peers;
        Say(body, ended.Count == 0 ? ["nobody was drained"] : ended.Select(name => $"{name}: is drained no more"));
    }

    public async Task UpgradeAsync(string? binary, double? within, CancellationToken stop)
    {
        var most = within is { } time ? string.Create(CultureInfo.InvariantCulture, $"{(long)(1000 * time)}ms") : null;
        var file = binary == null ? null : Path.GetFullPath(binary);
        var body = await daemon.PostAsync("/v1/upgrade" + Query(("binary", file), ("within", most)), stop).ConfigureAwait(false);
        var done = daemon.Read(body, AnswersJson.Default.UpgradeAnswer);
        var sessions = done.Sessions == 1 ? "1 session" : $"{done.Sessions} sessions";
        Say(body, [$"process {done.Process}, bgpd {done.Release}, has taken over {sessions} in {Words.Seconds(done.Seconds)}"]);
    }

    public async Task AnnounceAsync(LeaseBody lease, CancellationToken stop)
    {
        var body = await daemon.PostAsync("/v1/routes", JsonSerializer.Serialize(lease, AnswersJson.Default.LeaseBody), stop)
            .ConfigureAwait(false);
        var done = daemon.Read(body, AnswersJson.Default.LeaseAnswer);
        var until = done.Ttl is { } ttl ? $"for {Words.Seconds(ttl)}, unless it is announced again" : "until it is withdrawn";
        Say(body, [done.NotBest is { } why
            ? $"{done.Prefix}: {done.Producer} holds it {until}, and no peer is told of it: {why}; `bgpctl explain route {done.Prefix}`"
            : $"{done.Prefix}: {done.Producer} announces it {until}"]);
    }

    public async Task WithdrawAsync(string prefix, string? producer, CancellationToken stop)
    {
        var body = await daemon.DeleteAsync("/v1/routes" + Query(("prefix", prefix), ("producer", producer)), stop).ConfigureAwait(false);
        var done = daemon.Read(body, AnswersJson.Default.LeaseAnswer);
        Say(body, [$"{done.Prefix}: {done.Producer} announces it no more"]);
    }

    private static string Query(params ReadOnlySpan<(string Key, string? Value)> words)
    {
        var said = new List<string>();
        foreach (var (key, value) in words)
            if (value != null) said.Add($"{key}={Uri.EscapeDataString(value)}");
        return said.Count == 0 ? "" : $"?{string.Join('&', said)}";
    }

    private async Task ShowAsync(string topic, string path, Func<string, Page> view, CancellationToken stop)
    {
        if (watch)
        {
            await WatchAsync(topic, null, view, stop).ConfigureAwait(false);
            return;
        }
        var body = await daemon.GetTextAsync(path, stop).ConfigureAwait(false);
        Show(body, () => view(body));
    }

    /// <summary>What the daemon has answered is still for programs to read.</summary>
    private void Require(bool isOn, string body, Func<Refusal> off)
    {
        if (isOn) return;
        if (json) Say(body, []);
        throw off();
    }

    private void Show(string body, Func<Page> view)
    {
        if (json) Say(body, []);
        else screen.Write(view());
    }

    private Task WatchAsync(string topic, string? path, Func<string, Page> view, CancellationToken stop) =>
        new Watcher(daemon, screen, time, json).PagesAsync(topic, path, view, stop);

    private async Task CopyAsync(string path, CancellationToken stop)
    {
        var lines = daemon.LinesAsync(path, stop).ConfigureAwait(false);
        await foreach (var line in lines) await screen.Output.WriteLineAsync(line).ConfigureAwait(false);
    }

    private async Task PiecesAsync<T>(string path, JsonTypeInfo<T> type, Func<IReadOnlyList<T>, Grid> view, CancellationToken stop)
    {
        int[]? widths = null;
        var piece = new List<T>(PieceSize);
        await foreach (var line in daemon.LinesAsync(path, stop).ConfigureAwait(false))
        {
            piece.Add(daemon.Read(line, type));
            if (piece.Count < PieceSize) continue;
            screen.WritePiece(view(piece), ref widths);
            piece.Clear();
        }
        if (piece.Count > 0) screen.WritePiece(view(piece), ref widths);
        else if (widths == null) screen.Write(new Page(new Section(null, null, "no routes")));
    }

    private void Say(string body, IEnumerable<string> lines)
    {
        foreach (var line in json ? [body] : lines) screen.Output.WriteLine(line);
        screen.Output.Flush();
    }
}
