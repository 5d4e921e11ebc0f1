// bgpctl plan, asked as an operator asks it: a folder with a bgpd.yaml and the resources beside it. Needs neither root nor a daemon.
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Calico.Bgp.Conformance.Golden;

internal sealed class Plan : IDisposable
{
    private readonly Scratch folder = new("plan");
    private readonly IReadOnlyDictionary<string, string> environment;

    /// <param name="statuses">Felix's endpoint-status files.</param>
    public Plan(string node, IEnumerable<Manifest> resources, IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string,
        string> statuses,
        string compat = "3.33")
    {
        this.environment = environment;
        folder.Write("bgpd.yaml", $"node: {node}\ncompat: \"{compat}\"\nsources: [{{ files: ./resources }}]\n");
        foreach (var resource in resources) folder.Write(Path.Combine("resources", $"{resource.Kind}.{resource.Name}.yaml"), resource.Text);
        foreach (var (name, text) in statuses) folder.Write(Path.Combine("endpoint-status", name), text);
    }

    public async Task<PlanAnswer> AskAsync() => PlanJson.Read<PlanAnswer>(await RunAsync());

    public async Task<ProbeAnswers> ProbeAsync(IEnumerable<Probe> probes)
    {
        folder.Write("probes.json", new JsonArray([.. probes.Select(probe => probe.ToJson())]).ToJsonString());
        return PlanJson.Read<ProbeAnswers>(await RunAsync("--probe", folder.PathOf("probes.json")));
    }

    private Task<string> RunAsync(params string[] more) =>
        RunAsync(folder.PathOf("bgpd.yaml"), environment.Append(new("CALICO_ENDPOINT_STATUS_PATH_PREFIX", folder.Path)), more);

    /// <summary>What it says about any configuration.</summary>
    public static async Task<string> RunAsync(string config, IEnumerable<KeyValuePair<string, string>> environment, params string[] more)
    {
        var start = new ProcessStartInfo(Project.Bgpctl, ["plan", "--config", config, "--json", .. more])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        // 2: an object is refused, and the plan of the others is told; a configuration that is refused itself has none.
        return process.ExitCode == 0 || (process.ExitCode == 2 && output.Length > 0) ? output
            : throw new InvalidOperationException($"bgpctl plan: exit code {process.ExitCode}\n{await errors}\n{output}");
    }

    public void Dispose() => folder.Dispose();
}
