using Calico.Bgp.Configuration;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Plan;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary><c>--check</c>: reads a configuration as a start would, and says what came of it.</summary>
internal static class Checking
{
    /// <summary>2: the file, or an object of the sources that it names, would be refused. 1: a source's server does not answer.</summary>
    public static async Task<int> RunAsync(string path, CancellationToken stop)
    {
        var host = HostFacts.Read();
        var result = DaemonConfig.Load(path, host);
        Tell(result);
        if (result.Config == null) return 2;
        foreach (var taken in result.Config.Services?.NodeTaken(host.Interfaces) ?? []) Console.Error.WriteLine($"warning: {taken}");
        if (result.Config.Sources.IsEmpty)
        {
            Describe(result.Config);
            return 0;
        }
        try
        {
            return await SourcesAsync(result.Config, stop);
        }
        catch (IOException lost)
        {
            Describe(result.Config);
            Console.Error.WriteLine($"error: {lost.Message}; {path} is right, its objects were not seen (a daemon waits for them)");
            return 1;
        }
    }

    private static void Describe(DaemonConfig config)
    {
        foreach (var line in config.Describe()) Console.Out.WriteLine(line);
    }

    private static async Task<int> SourcesAsync(DaemonConfig config, CancellationToken stop)
    {
        var resources = await ResourceSources.ReadOnceAsync(config, TimeProvider.System, stop);
        var planner = new Planner(config.Plan with { Workloads = EndpointStatuses.Read(config.EndpointStatus) }, resources);
        // Identifier, AS, addresses and most of the peers are the objects' to say.
        Describe(config with { Speaker = PlannedConfig.Join(config.Speaker, planner.Plan) });
        var kinds = resources.All().CountBy(resource => resource.Kind.Word);
        foreach (var (kind, count) in kinds.OrderBy(one => one.Key, StringComparer.Ordinal))
            Console.Out.WriteLine($"{kind} {count}");
        foreach (var problem in resources.Problems)
            Console.Error.WriteLine($"{(problem.Severity == ProblemSeverity.Error ? "error" : "warning")}: {problem}");
        foreach (var doubt in planner.Plan.Problems)
            Console.Error.WriteLine($"warning: {$"{doubt.Object} {doubt.Field}".TrimEnd()}: {doubt.Reason}");
        return resources.IsRefused ? 2 : 0;
    }

    /// <summary>Errors and warnings go where the log goes.</summary>
    public static void Tell(ConfigResult result)
    {
        foreach (var error in result.Errors) Console.Error.WriteLine($"{LineFormatter.Prefix(LogLevel.Error)}error: {error}");
        foreach (var warning in result.Warnings) Console.Error.WriteLine($"{LineFormatter.Prefix(LogLevel.Warning)}warning: {warning}");
    }
}
