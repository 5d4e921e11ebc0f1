using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>
/// The ports of one rule, by protocol: each protocol becomes a rule of its own. In the order of the protocols' names, the empty one (of
/// names that find their protocol themselves, or of all that there is) first.
/// </summary>
internal sealed class KubernetesPorts
{
    public static readonly KubernetesPorts All = new();

    /// <summary>No ports: all of them.</summary>
    private readonly SortedDictionary<string, (byte? Protocol, List<PortMatch> Ports, bool IsAll)> byName = new(StringComparer.Ordinal);
    private bool isAll;

    public void Add(string name, byte? protocol, PortMatch? port)
    {
        if (protocol == null && port == null) isAll = true;
        if (!byName.TryGetValue(name, out var of)) of = (protocol, [], false);
        if (port is { } one) of.Ports.Add(one);
        byName[name] = of with { IsAll = of.IsAll || port == null };
    }

    public IEnumerable<(byte? Protocol, ListOf<PortMatch> Ports)> Protocols()
    {
        if (isAll || byName.Count == 0) return [(null, [])];
        return byName.Values.Select(of => (of.Protocol, of.IsAll ? (ListOf<PortMatch>)[] : Joined(of.Ports)));
    }

    /// <summary>Names as they came; of numbers those that touch are one range.</summary>
    private static ListOf<PortMatch> Joined(List<PortMatch> ports)
    {
        var joined = ports.Where(port => port.Name != null).Distinct().ToList();
        foreach (var port in ports.Where(port => port.Name == null).OrderBy(port => port.First).ThenBy(port => port.Last))
            if (joined.Count > 0 && joined[^1] is { Name: null } last && port.First <= last.Last + 1)
                joined[^1] = last with { Last = Math.Max(last.Last, port.Last) };
            else joined.Add(port);
        return [.. joined];
    }
}
