using System.Text;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>Namespaces of a site and what runs in them; a wall in front of the world outside counts who comes and is no gateway.</summary>
/// <param name="wall">Where the wall stands.</param>
/// <param name="patience">Seconds for what comes at once on a machine with nothing else to do.</param>
internal abstract class EgressLab(string wall, int patience) : IAsyncDisposable
{
    private readonly Dictionary<string, Netns> spaces = [];
    private readonly Dictionary<string, Background> processes = [];
    private readonly List<Echo> echoes = [];

    protected Scratch Folder { get; } = new();

    public Netns this[string name] => spaces[name];

    public string PathOf(string name) => Folder.PathOf(name);

    protected async Task MakeAsync(params IEnumerable<string> names)
    {
        foreach (var name in names) (spaces[name] = await Netns.MakeAsync(name[..1])).Forward();
    }

    /// <summary>Servers that answer with whom they saw.</summary>
    protected void Answer(string name, params string[] addresses) => echoes.AddRange(addresses.Select(one => new Echo(this[name], one)));

    /// <summary>How many packets have come to the wall that no gateway has sent.</summary>
    public async Task<long> OthersAsync()
    {
        var listed = await this[wall].DoAsync("nft", "list", "counter", "inet", "wall", "others");
        return long.Parse(listed[(listed.IndexOf("packets ", StringComparison.Ordinal) + 8)..].Split(' ')[0]);
    }

    /// <summary>Objects of the whole cluster, written as an editor writes them: beside, then moved over.</summary>
    public void Write(string objects)
    {
        Directory.CreateDirectory(PathOf("resources"));
        var file = PathOf("resources/all.yaml");
        File.WriteAllText(file + ".new~", objects);
        File.Move(file + ".new~", file, overwrite: true);
    }

    /// <summary>The node's daemon.</summary>
    /// <param name="router">Its number.</param>
    /// <param name="more">Sections beside nat.</param>
    protected async Task StartAsync(string name, string router, string more)
    {
        await File.WriteAllTextAsync(PathOf($"{name}.yaml"), $$"""
            node: {{name}}
            router: { asNumber: 64512, id: {{router}} }
            sources: [{ files: {{PathOf("resources")}} }]
            control: { http: ["unix:{{PathOf(name)}}"] }
            nat: { enabled: true }
            {{more}}

            """);
        Run(name, this[name], "--config", PathOf($"{name}.yaml"));
        await ToldAsync(name, answer => answer.Contains("\"enabled\":true", StringComparison.Ordinal));
    }

    /// <summary>Another program of ours, or the same again.</summary>
    public void Run(string name, Netns space, params string[] words) =>
        Keep(name, Background.Start(space, PathOf($"{name}.log"), null, Project.Daemon, words));

    /// <summary>It ends with the site.</summary>
    protected void Keep(string name, Background process) => processes[name] = process;

    public Background Process(string name) => processes[name];

    public Task KillAsync(string name) => processes[name].KillAsync();

    public async Task<string> HttpAsync(string name, string path) =>
        (await this[name].RunAsync("curl", "-s", "--unix-socket", PathOf(name), "http://bgpd" + path)).Output;

    public Task ToldAsync(string name, Func<string, bool> holds) => Until.TrueAsync($"{name} says so",
        async () => holds(await HttpAsync(name, "/v1/egress")), patience,
        async () => await HttpAsync(name, "/v1/egress") + await SaidAsync());

    /// <summary>For the message of who waits in vain.</summary>
    public async Task<string> SaidAsync()
    {
        var said = new StringBuilder();
        foreach (var (name, process) in processes)
        {
            said.AppendLine($"--- {name}").AppendLine(process.Said);
            if (!spaces.ContainsKey(name)) continue;
            foreach (var words in (string[])["rule", "route show table all", "nexthop", "-s -d link", "neigh"])
                said.AppendLine($"{name}# ip {words}").AppendLine((await this[name].RunAsync("ip", words.Split(' '))).Output);
            said.AppendLine((await this[name].RunAsync("bridge", "fdb")).Output);
            said.AppendLine((await this[name].RunAsync("nft", "list", "ruleset")).Output);
        }
        return said.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes.Values) await process.DisposeAsync();
        foreach (var echo in echoes) echo.Dispose();
        foreach (var space in spaces.Values) await space.RemoveAsync();
        Folder.Dispose();
    }
}
