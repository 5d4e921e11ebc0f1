// What a bgpd.yaml and the resources that it names come to, without a daemon: read once, planned, and shown.

using System.Collections.Immutable;
using Calico.Bgp.Answers;
using Calico.Bgp.Configuration;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Bgpctl.Planning;

/// <param name="Planner">Null: the file names no sources.</param>
/// <param name="Joined">As the daemon's speaker would be told.</param>
internal sealed record OfflinePlan(DaemonConfig File, Planner? Planner, SpeakerConfig Joined)
{
    public static async Task<OfflinePlan> ReadAsync(string path, TimeProvider time, TextWriter warnings, CancellationToken stop)
    {
        var result = DaemonConfig.Load(path, HostFacts.Read());
        foreach (var warning in result.Warnings) await warnings.WriteLineAsync($"warning: {warning}").ConfigureAwait(false);
        if (result.Config is not { } config) throw new Refusal(string.Join('\n', result.Errors)) { IsMistake = true };
        if (config.Sources.IsEmpty) return new(config, null, config.Speaker);
        ResourceSnapshot resources;
        try { resources = await ResourceSources.ReadOnceAsync(config, time, stop).ConfigureAwait(false); }
        catch (IOException lost) { throw new Refusal(lost.Message); }
        var planner = new Planner(config.Plan with { Workloads = EndpointStatuses.Read(config.EndpointStatus) }, resources);
        return new(config, planner, PlannedConfig.Join(config.Speaker, planner.Plan));
    }

    /// <summary>An object, or a folder of them, is refused.</summary>
    public bool IsRefused => Planner?.Resources.IsRefused == true;

    public PlanAnswer Answer() => new()
    {
        Node = Joined.HostName,
        Compat = Planner?.Settings.Release.Name,
        RouterId = Joined.RouterId.ToString(),
        AsNumber = Joined.As.Value,
        ListenPort = Joined.ListenPort,
        Peers =
        [
            .. File.Speaker.Peers.Select(OfFile), .. File.Speaker.Ranges.Select(OfFile), .. File.Speaker.Links.Select(OfFile),
            .. (Planner?.Plan.Peers ?? []).Select(Planned),
        ],
        Routes = [.. Routes()],
        RejectedFromKernel = [.. (Planner?.Plan.RejectedFromKernel ?? []).Select(prefix => prefix.ToString())],
        Problems = [.. Problems()],
    };

    public ProbesAnswer Answer(IReadOnlyList<Probe> probes)
    {
        var run = new ProbeRun(AllPeers, Joined.Kernel.Export);
        return new([.. probes.SelectMany((probe, place) => Ask(run, probe, place))]);
    }

    /// <summary>Also those that the daemon would leave out because the same neighbour is named twice.</summary>
    private ImmutableArray<PeerConfig> AllPeers =>
        [.. File.Speaker.Peers, .. Planner?.Plan.Peers.Select(peer => peer.ToConfig(Planner.Plan)) ?? []];

    /// <summary>What the other one would change.</summary>
    public IEnumerable<string> Changes(OfflinePlan newer)
    {
        // Other sources have been read here, and what they change is among the lines; whether there are any is for the next start.
        var read = File.Sources.IsEmpty == newer.File.Sources.IsEmpty ? newer.File.Sources : File.Sources;
        return SpeakersChanges(newer).Concat(SectionChanges.Between(File, File, read, newer.File));
    }

    private IEnumerable<string> SpeakersChanges(OfflinePlan newer)
    {
        if (Planner == null || newer.Planner == null) return ConfigChanges.Between(Joined, newer.Joined);
        var (plan, services) = Planner.Instead(newer.Planner.Settings, newer.Planner.Resources);
        var (weighs, willWeigh) = (Planner.Settings.WeighServices, newer.Planner.Settings.WeighServices);
        return ConfigChanges.Between(Joined, PlannedConfig.Join(newer.File.Speaker, plan))
            .Concat(PlanDifferences.Between(Planner.ServiceRoutes, services, weighs, willWeigh));
    }

    private static IEnumerable<ProbeResultAnswer> Ask(ProbeRun run, Probe probe, int place)
    {
        IEnumerable<ProbeAnswer> answers;
        try { answers = run.Ask(probe); }
        catch (KeyNotFoundException wrong) { throw new Refusal($"probe {place}: {wrong.Message}") { IsMistake = true }; }
        return answers.Select(answer => new ProbeResultAnswer(
            place, answer.Target, answer.Accepted ? "accept" : "reject", answer.Rule, Attributes(answer.Attributes))
        {
            Barred = answer.Barred,
        });
    }

    private static ProbeAttributesAnswer? Attributes(ProbeAttributes? of) => of == null ? null : new(
        of.LocalPref, of.Med, [.. of.Communities], [.. of.AsPath.Select(number => number.Value)], of.NextHop?.ToString(), of.Metric,
        of.Tunnel);

    private IEnumerable<PlanRouteAnswer> Routes()
    {
        var planned = Planner == null ? [] : Planner.Plan.Routes.Concat(Planner.ServiceRoutes).DistinctBy(route => route.Prefix).ToArray();
        var file = File.Speaker.Routes.Select(route => (route.Prefix, Type: route.Type.ToString(), Reason: "bgpd.yaml"));
        return file.Concat(planned.Select(route => (route.Prefix, Type: route.Type.ToString(), route.Reason)))
            .OrderBy(route => route.Prefix)
            .Select(route => new PlanRouteAnswer(route.Prefix.ToString(), route.Type.ToLowerInvariant(), route.Reason));
    }

    private IEnumerable<PlanProblemAnswer> Problems() => Planner == null ? [] :
        Planner.Resources.Problems.Select(Answer)
            .Concat(Planner.Plan.Problems.Select(problem => new PlanProblemAnswer(problem.Object, problem.Field, problem.Reason)));

    private static PlanPeerAnswer Planned(PlannedPeer peer) => new()
    {
        Name = peer.Name,
        Address = peer.Address.ToString(),
        Port = peer.Port,
        AsNumber = peer.As.Value,
        LocalAsNumber = peer.HasOwnLocalAs ? peer.LocalAs.Value : null,
        SourceAddress = peer.SourceAddress?.ToString(),
        Passive = peer.Passive,
        Multihop = peer.Multihop,
        TtlSecurity = peer.TtlSecurity > 0 ? peer.TtlSecurity : null,
        PasswordSet = peer.Password != null,
        GracefulRestartTime = peer.RestartSeconds,
        LongLivedStaleTime = peer.StaleSeconds,
        KeepaliveTime = peer.KeepaliveTime?.TotalSeconds,
        HoldTime = peer.HoldSeconds,
        RouteReflectorClient = peer.ClusterId != null,
        ClusterId = peer.ClusterId?.ToString(),
        NextHopMode = peer.NextHop.ToString(),
        AllowLocalAs = peer.AllowLocalAs > 0 ? peer.AllowLocalAs : null,
        ImportFilters = [.. peer.ImportFilters],
        ExportFilters = [.. peer.ExportFilters],
        Problem = peer.Problem,
    };

    private PlanPeerAnswer OfFile(PeerConfig peer)
    {
        var session = peer.Session;
        return new()
        {
            Name = session.Name,
            Address = session.PeerAddress.ToString(),
            Port = session.PeerPort,
            AsNumber = session.PeerAs.Value,
            LocalAsNumber = session.LocalAs == Joined.As ? null : session.LocalAs.Value,
            SourceAddress = session.SourceAddress?.ToString(),
            Passive = session.Passive,
            Multihop = session.Multihop,
            TtlSecurity = session.TtlSecurity ? session.Multihop : null,
            PasswordSet = session.Password != null,
            GracefulRestartTime = session.GracefulRestartTime?.TotalSeconds,
            LongLivedStaleTime = session.LongLivedStaleTime?.TotalSeconds,
            KeepaliveTime = session.KeepaliveTime?.TotalSeconds,
            HoldTime = session.HoldTime.TotalSeconds,
            RouteReflectorClient = peer.RouteReflectorClient,
            ClusterId = peer.ClusterId?.ToString(),
            NextHopMode = peer.NextHop.ToString(),
            AllowLocalAs = peer.AllowLocalAs > 0 ? peer.AllowLocalAs : null,
            ImportFilters = Filters(peer.Import),
            ExportFilters = Filters(peer.Export),
            Problem = peer.Problem,
        };
    }

    private PlanPeerAnswer OfFile(PeerRange range) => OfFile(range.Each) with
    {
        Name = $"{range.Each.Session.Name}_*",
        Address = range.Range.ToString(),
    };

    private PlanPeerAnswer OfFile(PeerLink link) => OfFile(link.Each) with { Address = link.Interface };

    private static IReadOnlyList<string> Filters(Rib.Filters.IFilter of) =>
        of is Rib.Filters.FilterChain chain ? [.. chain.Filters.Select(filter => filter.Name)] : [of.Name.ToLowerInvariant()];

    /// <summary>An object is named by itself, with the place behind the reason; what is no object is named by its place.</summary>
    private static PlanProblemAnswer Answer(ResourceProblem problem)
    {
        var place = problem.Line > 0 ? $"{problem.File}:{problem.Line}" : problem.File;
        return problem.Object.Length > 0
            ? new(problem.Object, problem.Field, $"{problem.Reason} ({place})") : new(place, problem.Field, problem.Reason);
    }
}
