using System.Globalization;
using System.Text.RegularExpressions;

namespace Calico.Bgp.Lab;

/// <summary>One packet there and back.</summary>
internal sealed partial record Ping(string From, string To, string Address)
{
    public static readonly Ping[] All =
    [
        new("pod1", "pod2", Topology.PodIPv4(2)), new("pod1", "pod2", Topology.PodIPv6(2)), new("pod2", "pod1", Topology.PodIPv4(1)),
        new("pod2", "pod1", Topology.PodIPv6(1)), new("pod1", "host", Topology.HostIPv4), new("pod1", "host", Topology.HostIPv6),
        new("pod2", "host", Topology.HostIPv4), new("pod2", "host", Topology.HostIPv6),
    ];

    /// <summary>Milliseconds; null: no answer.</summary>
    public async Task<double?> SendAsync()
    {
        var (code, output) = await Run.TryAsync("ip", "netns", "exec", Topology.Space(From), "ping", "-n", "-c", "1", "-W", "1", Address);
        return code == 0 && Time().Match(output) is { Success: true } time ? double.Parse(time.Groups[1].Value, CultureInfo.InvariantCulture) : null;
    }

    [GeneratedRegex("time=([0-9.]+)")]
    private static partial Regex Time();
}
