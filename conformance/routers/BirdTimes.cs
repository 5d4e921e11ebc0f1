using System.Globalization;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>
/// When a BIRD's protocols last changed. It reckons that anew for each answer, from what time it is and how long ago it was, so that one
/// change is told with times a millisecond or two apart; those count as one here.
/// </summary>
internal sealed class BirdTimes
{
    private readonly Dictionary<string, TimeSpan> changes = [];

    /// <summary>Name, state, time and words of a line of <c>show protocols</c>: equal as long as nothing happened to it.</summary>
    public string Of(string line)
    {
        var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (name, at) = (columns[0], TimeSpan.Parse(columns[4], CultureInfo.InvariantCulture));
        if (!changes.TryGetValue(name, out var known) || (at - known).Duration() > TimeSpan.FromMilliseconds(20))
            changes[name] = known = at;
        return $"{name} {columns[3]} {known} {columns.ElementAtOrDefault(5)}";
    }
}
