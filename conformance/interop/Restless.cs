namespace Calico.Bgp.Conformance.Interop;

/// <summary>Routes that come and go at both ends, in groups.</summary>
internal static class Restless
{
    public const int Groups = 4;
    public const string OfNode = "10.245.0.0/16";
    private const int Each = 10;

    public static IEnumerable<string> Tor(int group) => In("10.100", group);
    public static IEnumerable<string> Node(int group) => In("10.245", group);

    private static IEnumerable<string> In(string net, int group) => Enumerable.Range(Each * group, Each).Select(one => $"{net}.{one}.0/24");

    /// <summary>A protocol for each of the ToR's groups.</summary>
    public static string Bird => string.Join('\n', Enumerable.Range(0, Groups).Select(group => string.Concat(
        [$"protocol static restless{group} {{ disabled; ipv4; ", .. Tor(group).Select(prefix => $"route {prefix} blackhole; "), "}"])));

    /// <summary>Group after group comes or goes, at both ends, until it is to end.</summary>
    /// <returns>Which groups are there at last.</returns>
    public static async Task<bool[]> ChurnAsync(RestartLab lab, CancellationToken ending)
    {
        var isThere = new bool[Groups];
        for (var round = 0; !ending.IsCancellationRequested; round++)
        {
            var group = round % Groups;
            isThere[group] = !isThere[group];
            await Task.WhenAll(lab.TorAnnouncesAsync(group, isThere[group]), lab.NodeHasRoutesAsync(group, isThere[group]));
        }
        return isThere;
    }
}
