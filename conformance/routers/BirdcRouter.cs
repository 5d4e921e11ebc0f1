using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>A router that birdc can be pointed at: a real BIRD, and ours, which claims to answer alike.</summary>
internal abstract class BirdcRouter(Netns space, RouterSpec spec) : Router(space, spec)
{
    private readonly BirdTimes times = new();

    protected string Socket => Path.Combine(Folder, "ctl");

    public Task<string> AskAsync(string words) => BirdText.AskAsync(Socket, words);

    protected Task AnswersAsync(string name) => Until.TrueAsync($"{name} answers",
        async () => (await AskAsync("show status")).Contains("up and running"), 60, () => Said);

    public override async Task<bool> IsEstablishedAsync(Neighbour neighbour) =>
        (await AskAsync($"show protocols {neighbour.Session}")).Contains("Established");

    /// <summary>Of each of these sessions a line that is equal as long as nothing happened to it.</summary>
    public async Task<string> ChangesAsync(params string[] sessions)
    {
        var told = new List<string>();
        foreach (var session in sessions)
            told.Add(times.Of((await AskAsync($"show protocols {session}")).Split('\n').Last(line => line.StartsWith(session,
                StringComparison.Ordinal))));
        return string.Join('\n', told);
    }

    public override async Task<Seen?> RouteAsync(string prefix) => BirdText.Route(await AskAsync($"show route {prefix} all"));

    public override async Task<int> PathsAsync(string prefix) =>
        (await AskAsync($"show route {prefix} all")).Split("BGP.origin:").Length - 1;

    public override Task AskRefreshAsync(Neighbour neighbour) => AskAsync($"reload in {neighbour.Session}");
}
