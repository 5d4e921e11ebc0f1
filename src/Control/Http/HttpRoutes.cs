// Which path is answered by whom. Orders change the daemon and are taken by the Unix socket alone: a port has no doorkeeper.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal sealed class HttpRoutes(ISpeaker speaker, IDaemon daemon, Loops loops, TimeProvider time, CancellationToken stopping)
{
    private const string Paths =
        "/live, /ready, /metrics, /v1/status, /v1/peers[/NAME], /v1/bfd, /v1/routes (POST, DELETE), "
        + "/v1/kernel[/routes], /v1/nat[/explain], /v1/egress[/explain], /v1/cnat/translations (POST, DELETE), "
        + "/v1/cnat/sessions (DELETE), /v1/cnat/explain, /v1/cnat/clients, /v1/cnat/snat (POST, DELETE), "
        + "/v1/policy/{list|show|endpoints|lint|explain|denied}, /v1/dns/cache, /v1/events, "
        + "/v1/explain/route?prefix=PREFIX, /v1/explain/peer/NAME, /v1/explain/service/NAMESPACE/NAME, "
        + "POST /v1/policy/{try|confirm|revert}, POST /v1/reload, POST /v1/drain[?peer=NAME], POST /v1/undrain[?peer=NAME], "
        + "POST /v1/upgrade[?binary=FILE], "
        + "POST /v1/peers/NAME/{enable|disable|restart|reload-in|reload-out}";

    private readonly Health health = new(speaker, loops, time);
    private readonly Orders orders = new(speaker, daemon);
    private readonly TrialOrders trials = new(daemon);
    private readonly Leases leases = new(speaker);
    private readonly Explanations explain = new(speaker, daemon);
    private readonly RouteStream routes = new(speaker);
    private readonly EventStream events = new(speaker, daemon, loops, time, stopping);
    private readonly Metrics metrics = new(speaker, daemon, loops, time);

    public Health Health => health;
    public IDataplane? Dataplane { get; set => events.Dataplane = field = value; }

    /// <summary>Null: nothing is.</summary>
    public SavedTranslations? Saved { get; set => events.Saved = field = value; }
    public Doorkeeper Doorkeeper { get; set; } = new([]);

    public Task AnswerAsync(HttpContext http) =>
        Doorkeeper.Refuse(http, speaker.Router.HostName) is { } refusal ? Answer.ErrorAsync(http, refusal) : FindAsync(http);

    private Task FindAsync(HttpContext http) => http.Request.Path.Value?.Trim('/').Split('/') switch
    {
        ["live"] => Get(http, PlaceKind.Probe, (request, _) => health.LiveAsync(request)),
        ["ready"] => Get(http, PlaceKind.Probe, (request, _) => health.ReadyAsync(request)),
        ["metrics"] => Get(http, request => metrics.WriteAsync(request, Dataplane)),
        ["v1", "status"] => Get(http, StatusAsync),
        ["v1", "peers"] => Get(http, PeersAsync),
        ["v1", "peers", var name] => Get(http, _ => PeerAsync(http, Name(name))),
        ["v1", "bfd"] => Get(http, BfdAsync),
        ["v1", "routes"] when HttpMethods.IsPost(http.Request.Method) => Post(http, leases.AnnounceAsync),
        ["v1", "routes"] when HttpMethods.IsDelete(http.Request.Method) => Trusted(http, leases.WithdrawAsync),
        ["v1", "routes"] => IsGet(http) ? routes.RoutesAsync(http) : WrongMethodAsync(http, HttpMethods.Get),
        ["v1", "kernel"] => Get(http, KernelAsync),
        ["v1", "kernel", "routes"] => Get(http, PlaceKind.Table, routes.KernelRoutesAsync),
        ["v1", "nat"] => Get(http, NatAsync),
        ["v1", "nat", "explain"] => Get(http, ExplainAsync),
        ["v1", "cnat", "translations"] when HttpMethods.IsPost(http.Request.Method) =>
            Post(http, request => CnatOrders.AddAsync(request, Dataplane, Saved)),
        ["v1", "cnat", "translations"] when HttpMethods.IsDelete(http.Request.Method) =>
            Trusted(http, request => CnatOrders.RemoveAsync(request, Dataplane, Saved)),
        ["v1", "cnat", "translations"] => Get(http, request => CnatAnswers.TranslationsAsync(request, Dataplane, Saved)),
        ["v1", "cnat", "sessions"] when HttpMethods.IsDelete(http.Request.Method) =>
            Trusted(http, request => CnatSessions.EndAsync(request, Dataplane)),
        ["v1", "cnat", "sessions"] => Get(http, request => CnatSessions.TellAsync(request, Dataplane)),
        ["v1", "cnat", "snat"] when HttpMethods.IsPost(http.Request.Method) =>
            Post(http, request => CnatSourceNat.EditAsync(request, Dataplane, Saved)),
        ["v1", "cnat", "snat"] when HttpMethods.IsDelete(http.Request.Method) =>
            Trusted(http, request => CnatSourceNat.ResetAsync(request, Dataplane, Saved)),
        ["v1", "cnat", "snat"] => Get(http, request => CnatSourceNat.TellAsync(request, Dataplane)),
        ["v1", "cnat", "clients"] => Get(http, request => CnatClients.TellAsync(request, Dataplane)),
        ["v1", "cnat", "explain"] => Get(http, request => CnatExplanations.TellAsync(request, Dataplane, Saved, speaker.KernelState)),
        ["v1", "egress"] => Get(http, request => EgressAnswers.TellAsync(request, Dataplane)),
        ["v1", "egress", "explain"] => Get(http, request => EgressAnswers.ExplainAsync(request, Dataplane)),
        ["v1", "policy", "list"] => Get(http, request => PolicyAnswers.ListAsync(request, Dataplane, daemon)),
        ["v1", "policy", "show"] => Get(http, request => PolicyAnswers.ShowAsync(request, Dataplane, daemon)),
        ["v1", "policy", "endpoints"] => Get(http, request => PolicyAnswers.EndpointsAsync(request, Dataplane)),
        ["v1", "policy", "lint"] => Get(http, request => PolicyAnswers.LintAsync(request, Dataplane)),
        ["v1", "policy", "explain"] => Get(http, request => PolicyAnswers.ExplainAsync(request, Dataplane, daemon)),
        ["v1", "policy", "denied"] => Get(http, request => PolicyAnswers.DeniedAsync(request, Dataplane)),
        ["v1", "dns", "cache"] => Get(http, request => PolicyAnswers.IfInForceAsync(request, Dataplane, DnsCacheAsync)),
        ["v1", "events"] => Get(http, PlaceKind.Events, events.WriteAsync),
        ["v1", "explain", "route"] => Get(http, explain.RouteAsync),
        ["v1", "explain", "peer", var name] => Get(http, _ => explain.PeerAsync(http, Name(name))),
        ["v1", "explain", "service", var space, var name] => Get(http, _ => explain.ServiceAsync(http, Dataplane, new(space, name))),
        ["v1", "policy", "try"] => Post(http, request => PolicyAnswers.IfInForceAsync(request, Dataplane, trials.TryAsync)),
        ["v1", "policy", "confirm"] => Post(http, request => PolicyAnswers.IfInForceAsync(request, Dataplane, trials.ConfirmAsync)),
        ["v1", "policy", "revert"] => Post(http, trials.RevertAsync),
        ["v1", "drain"] => Post(http, orders.DrainAsync),
        ["v1", "undrain"] => Post(http, orders.UndrainAsync),
        ["v1", "upgrade"] => Post(http, orders.UpgradeAsync),
        ["v1", "reload"] => Post(http, orders.ReloadAsync),
        ["v1", "peers", var name, var order] => Post(http, _ => orders.PeerAsync(http, Name(name), order)),
        _ => Answer.ErrorAsync(http, AnswerCode.UnknownPath, $"expected one of {Paths}, got {http.Request.Path}"),
    };

    // Kestrel decodes a path but for its slashes; a peer's name may hold one.
    private static string Name(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static Task Get(HttpContext http, Func<HttpContext, Task> answer) =>
        Get(http, PlaceKind.Answer, (request, _) => answer(request));

    private static Task Get(HttpContext http, PlaceKind kind, Func<HttpContext, Place, Task> answer) =>
        IsGet(http)
            ? Visit.Of(http).Entrance.Places.HoldAsync(http, kind, place => answer(http, place))
            : WrongMethodAsync(http, HttpMethods.Get);

    private static bool IsGet(HttpContext http) =>
        HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method);

    private static Task Post(HttpContext http, Func<HttpContext, Task> answer) =>
        HttpMethods.IsPost(http.Request.Method) ? Trusted(http, answer) : WrongMethodAsync(http, HttpMethods.Post);

    private static Task Trusted(HttpContext http, Func<HttpContext, Task> answer) => Trust.IsGiven(http)
        ? Visit.Of(http).Entrance.Places.HoldAsync(http, PlaceKind.Answer, _ => answer(http))
        : Answer.ErrorAsync(http, AnswerCode.OrderOnPort, "expected orders on the Unix socket of control.http, got one on a port");

    private static Task WrongMethodAsync(HttpContext http, string right)
    {
        http.Response.Headers.Allow = right;
        return Answer.ErrorAsync(http, AnswerCode.WrongMethod, $"expected {right} {http.Request.Path}, got {http.Request.Method}");
    }

    private Task StatusAsync(HttpContext http) =>
        Answer.JsonAsync(http, StatusAnswers.Status(speaker, daemon, loops, Dataplane, Saved), Answer.Json.StatusAnswer);

    private Task PeersAsync(HttpContext http) =>
        Answer.JsonAsync(http, StatusAnswers.Peers(speaker), Answer.Json.IReadOnlyListPeerAnswer);

    private Task PeerAsync(HttpContext http, string name) => PeerNames.Find(speaker, name) is { Session: { } session } peer
        ? Answer.JsonAsync(http, StatusAnswers.Peer(peer, session), Answer.Json.PeerAnswer)
        : Answer.ErrorAsync(http, AnswerCode.UnknownPeer, PeerNames.Unknown(speaker, name));

    private Task BfdAsync(HttpContext http) => Answer.JsonAsync(http, BfdAnswers.All(speaker), Answer.Json.IReadOnlyListBfdAnswer);

    private Task NatAsync(HttpContext http) =>
        Answer.JsonAsync(http, NatAnswers.Of(Dataplane?.View ?? NatView.Off), Answer.Json.NatAnswer);

    private async Task ExplainAsync(HttpContext http)
    {
        if (PacketQuery.Of(http, speaker.KernelState, out var packet) is { } problem)
            await Answer.ErrorAsync(http, problem).ConfigureAwait(false);
        else if (Dataplane is { } dataplane)
        {
            var explanation = await dataplane.ExplainAsync(packet!, http.RequestAborted).ConfigureAwait(false);
            await Answer.JsonAsync(http, NatAnswers.Of(explanation), Answer.Json.NatExplanationAnswer).ConfigureAwait(false);
        }
        else await Answer.ErrorAsync(http, AnswerCode.NatOff, "NAT is off: bgpd.yaml has no section nat").ConfigureAwait(false);
    }

    private async Task DnsCacheAsync(HttpContext http)
    {
        var name = (string?)http.Request.Query["name"];
        var names = await Dataplane!.DnsCacheAsync(name, http.RequestAborted).ConfigureAwait(false);
        var answer = DnsCacheAnswer.Of(Dataplane.Dns, names);
        await Answer.JsonAsync(http, answer, Answer.Json.DnsCacheAnswer).ConfigureAwait(false);
    }

    private Task KernelAsync(HttpContext http) =>
        Answer.JsonAsync(http, StatusAnswers.Kernel(speaker), Answer.Json.KernelAnswer);
}
