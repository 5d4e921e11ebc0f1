using System.Text.Json;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>A network namespace with a pair of interfaces, a0 (10.0.0.1/24, fd00::1/64) and b0 (10.0.1.1/24, fd01::1/64), gone when
/// disposed.</summary>
internal sealed class NetworkNamespace : IDisposable
{
    private readonly Netns space = Netns.Make("kernel");

    public NetworkNamespace()
    {
        Batch("""
            link add a0 type veth peer name a1
            link add b0 type veth peer name b1
            link set a0 up
            link set a1 up
            link set b0 up
            link set b1 up
            address add 10.0.0.1/24 dev a0
            address add 10.0.1.1/24 dev b0
            address add fd00::1/64 dev a0 nodad
            address add fd01::1/64 dev b0 nodad
            """);
        A = Index("a0");
        B = Index("b0");
    }

    public int A { get; }
    public int B { get; }

    public string Ip(string words) => space.Ip(words);

    public string Bridge(string words) => space.Do("bridge", words.Split(' '));

    /// <summary>What may fail: somebody else may have been faster.</summary>
    public Task TryIpAsync(string words) => space.RunAsync("ip", words.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    public void Batch(string commands) => space.Tell(commands + "\n", "ip", "-batch", "-");

    public int Index(string link) => Json($"link show dev {link}")[0].GetProperty("ifindex").GetInt32();

    public IReadOnlyList<JsonElement> Json(string arguments)
    {
        var text = Ip($"-j -d {arguments}");
        return text.Length < 2 ? [] : [.. JsonDocument.Parse(text).RootElement.EnumerateArray()];
    }

    /// <summary>Own routes as <c>ip route</c> prints them, sorted, one a line, without what is the same for all.</summary>
    public string Own(string family = "-4", string table = "main", int protocol = 12)
    {
        var lines = Table($"{family} route show table {table} proto {protocol}").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Aggregate(new List<string>(), (all, line) =>
            {
                if (line[0] is '\t' or ' ') all[^1] += " " + line.Trim();
                else all.Add(line.Trim());
                return all;
            });
        return string.Join('\n', lines.Select(line => line.Replace(" pref medium", "").Replace("  ", " ").Trim())
            .Order(StringComparer.Ordinal));
    }

    /// <summary>A table in which nothing has ever been is an error to ip.</summary>
    private string Table(string arguments)
    {
        try
        {
            return Ip(arguments);
        }
        catch (MachineException e) when (e.Message.Contains("table does not exist", StringComparison.Ordinal))
        {
            return "";
        }
    }

    /// <summary>A kernel loop that lives in this namespace: its sockets are made by a thread that has entered it.</summary>
    public async Task<KernelLoop> StartAsync(KernelOptions? options = null, TimeProvider? clock = null)
    {
        var loop = new KernelLoop(
            options ?? new(), Watched(), clock ?? TimeProvider.System,
            new Microsoft.Extensions.Logging.Abstractions.NullLogger<KernelLoop>());
        await Inside(() => loop.StartAsync(CancellationToken.None));
        return loop;
    }

    /// <summary>A defect in a loop that a test does not expect ends the test's run.</summary>
    public static Net.Loops Watched() => new(
        TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<Net.Loops>.Instance,
        (loop, defect) => Environment.FailFast($"the loop {loop.Name} has met a defect", defect));

    /// <summary>Done by a thread of its own that has entered this namespace: sockets that it makes belong here.</summary>
    public T Inside<T>(Func<T> work) => space.Inside(work);

    public string Nft(string words, string input = "") => space.Tell(input, "nft", words.Split(' '));

    public void Dispose() => space.Dispose();
}
