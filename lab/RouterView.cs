// One router of the lab, asked over birdc's socket: BIRD and our daemon answer it alike, so the lab need not know which is which.
using System.Net.Sockets;

namespace Calico.Bgp.Lab;

internal sealed record SessionLine(string Name, string State, string Since, string Info)
{
    public bool Up => Info.StartsWith("Established", StringComparison.Ordinal);
}

internal sealed record RouterView(string Name, string Program, string Socket, Netns Space, Background Daemon)
{
    /// <summary>Where our daemon answers bgpctl.</summary>
    public string Http => Path.ChangeExtension(Socket, ".sock");

    /// <summary>Lines of the answer without their codes; empty when the daemon does not answer.</summary>
    public async Task<IReadOnlyList<string>> AskAsync(string words)
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), patience.Token);
            await using var stream = new NetworkStream(socket);
            using var reader = new StreamReader(stream);
            await reader.ReadLineAsync(patience.Token);
            await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(words + "\n"), patience.Token);
            return await AnswerAsync(reader, patience.Token);
        }
        catch (Exception problem) when (problem is SocketException or IOException or OperationCanceledException)
        {
            return [];
        }
    }

    /// <summary>Four digits and a dash: more follows; and a blank: the last line. A line that starts with a blank has the code of the one
    /// before.</summary>
    private static async Task<List<string>> AnswerAsync(StreamReader reader, CancellationToken stop)
    {
        var lines = new List<string>();
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            if (line.StartsWith('+')) continue;
            lines.Add(line.StartsWith(' ') ? line[1..] : line.Length > 5 ? line[5..] : "");
            if (line.Length >= 5 && char.IsAsciiDigit(line[0]) && line[4] == ' ') break;
        }
        return lines;
    }

    public async Task<IReadOnlyList<SessionLine>> SessionsAsync() =>
        [.. from line in await AskAsync("show protocols")
            let words = line.Split(' ', 7, StringSplitOptions.RemoveEmptyEntries)
            where words.Length >= 5 && words[1] == "BGP"
            select new SessionLine(words[0], words[3], words[4], string.Join(' ', words.Skip(5)).Trim())];

    /// <summary>Best routes by prefix: the way out, and who brought it.</summary>
    public async Task<SortedDictionary<string, string>> RoutesAsync()
    {
        var routes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        string? prefix = null;
        foreach (var line in await AskAsync("show route primary"))
        {
            if (line.StartsWith('\t') && prefix != null) routes[prefix] = $"{line.Trim()} {routes[prefix]}";
            else if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 2 } words && words[0].Contains('/'))
            {
                prefix = words[0];
                routes[prefix] = $"{(words[1] == "unicast" ? "" : words[1] + " ")}{words[2]}]";
            }
        }
        return routes;
    }

    /// <summary>Routes of a routing daemon (protocol number 12, which iproute2 calls bird) in this router's kernel.</summary>
    public async Task<IReadOnlyList<string>> KernelRoutesAsync()
    {
        var ipv4 = await Space.RunAsync("ip", "route", "show", "proto", "12");
        var ipv6 = await Space.RunAsync("ip", "-6", "route", "show", "proto", "12");
        return [.. (ipv4.Output + ipv6.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim())];
    }
}
