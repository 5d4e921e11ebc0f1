using System.Collections.Immutable;
using System.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Control.Tests.Http;

/// <summary>A version that is refused is told of wherever the object is asked about, and not in the status alone.</summary>
public sealed class RefusedObjectsTests : IAsyncLifetime, IDisposable
{
    private readonly HttpLab lab = new();
    private PlanFollower? plan;

    public async Task InitializeAsync()
    {
        await lab.InitializeAsync();
        var web = new NetworkPolicy(new Metadata("web", "shop"))
        {
            Spec = new() { Tier = "default", AppliesTo = Selector.Parse("all()"), Types = PolicyTypes.Ingress },
        };
        var store = new ResourceStore(1);
        store.Apply(Said(new ResourceDefinition(web.Id, web, 1, [])));
        store.Apply(Said(
            Refused(web.Id, "spec.selector", 12), Refused(new(Kinds.GlobalNetworkPolicy, new("late")), "spec.order", 20),
            Refused(new(Kinds.NetworkPolicy, new("other", "far")), "spec.order", 30), Refused(new(Kinds.Service, new("shop", "here")),
                "spec.clusterIP", 40)));
        lab.Daemon.Planned = plan = new(
            new() { RouterId = new(1), As = new(64512), HostName = "node1" }, new() { Node = "node1" }, store.Current);

        static SourceUpdate Said(params ImmutableArray<ResourceDefinition> definitions) => new(
            0, [new(new(0, "web.yaml"), definitions, [])], SourceState.Unread.Current(DateTimeOffset.UnixEpoch));

        static ResourceDefinition Refused(ResourceId id, string field, int line) => new(
            id, null, line, [new(id.ToString(), field, "expected better", "web.yaml", line, ProblemSeverity.Error)]);
    }

    public Task DisposeAsync() => lab.DisposeAsync();

    public void Dispose() => plan?.Dispose();

    [Fact]
    public async Task The_list_and_the_policy_itself_say_that_a_newer_version_is_refused()
    {
        const string Why = "spec.selector: expected better (web.yaml:12)";
        var list = (await lab.JsonAsync("/v1/policy/list"))["policies"]!.AsArray();
        Assert.Equal([$"web: {Why}"], list.Where(one => one!["refused"] != null).Select(one => $"{one!["name"]}: {one["refused"]}"));
        Assert.Equal(Why, (string?)(await lab.JsonAsync("/v1/policy/show?name=web"))["policies"]![0]!["summary"]!["refused"]);
    }

    [Fact]
    public async Task What_has_no_good_version_is_said_to_be_refused_and_not_to_be_missing()
    {
        var policy = await lab.JsonAsync("/v1/policy/show?name=late", HttpStatusCode.NotFound);
        Assert.StartsWith("refused: web.yaml:20: GlobalNetworkPolicy/late: spec.order: expected better", (string?)policy["message"],
            StringComparison.Ordinal);
        var service = await lab.JsonAsync("/v1/explain/service/shop/here", HttpStatusCode.NotFound);
        Assert.Equal("refused: web.yaml:40: Service/shop/here: spec.clusterIP: expected better; no good version of it is known, so that it "
            + "has no effect", (string?)service["message"]);
    }

    /// <summary>Of the cluster, and of the namespaces of those who were asked.</summary>
    [Fact]
    public async Task An_explanation_names_policies_that_are_not_what_was_written_last()
    {
        lab.Dataplane.ExplainedEndpoint = "shop/web-1";
        var notes = (await lab.JsonAsync("/v1/policy/explain?src=192.0.2.9&dst=10.0.0.1&protocol=tcp:80"))["notes"]!.AsArray();
        Assert.Equal(
            [
                "GlobalNetworkPolicy/late is not in force as it is written: spec.order: expected better (web.yaml:20); no good version of "
                    + "it is known, and it is not asked",
                "NetworkPolicy/shop/web is not in force as it is written: spec.selector: expected better (web.yaml:12); its last good "
                    + "version is asked",
            ], notes.Select(note => (string?)note).Order(StringComparer.Ordinal));
    }
}
