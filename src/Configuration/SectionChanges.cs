using System.Collections.Immutable;

namespace Calico.Bgp.Configuration;

/// <summary>What another bgpd.yaml would change beside the speaker's part, in lines for people: the answer of a reload, and of a
/// plan.</summary>
public static class SectionChanges
{
    /// <param name="started">What the daemon began with: what a reload cannot change is as it was then.</param>
    /// <param name="current">What is in force of the rest.</param>
    /// <param name="read">The sources that are in force; empty: it was started without.</param>
    public static IEnumerable<string> Between(
        DaemonConfig started, DaemonConfig current, ImmutableArray<SourceConfig> read, DaemonConfig newer)
    {
        var (sockets, control) = (started.Control, newer.Control);
        if (started.Log != newer.Log) yield return "log: takes effect at the next start";
        if (read.IsEmpty != newer.Sources.IsEmpty) yield return "sources: takes effect at the next start";
        else if (!read.SequenceEqual(newer.Sources)) yield return "sources: others take their place once they have been read";
        if (Section("nat", current.Nat, newer.Nat) is { } nat) yield return nat;
        if (Section("policy", current.Policy, newer.Policy) is { } policy) yield return policy;
        if (Section("services", current.Services, newer.Services) is { } services) yield return services;
        if (Section("egress", current.Egress, newer.Egress) is { } egress) yield return egress;
        var sameSockets = sockets.Socket == control.Socket && sockets.Http.SequenceEqual(control.Http)
            && sockets.BirdSockets.SequenceEqual(control.BirdSockets) && sockets.Hosts.SequenceEqual(control.Hosts);
        if (!sameSockets) yield return "control: takes effect at the next start";
    }

    private static string? Section(string name, object? before, object? after) => Equals(before, after) ? null
        : $"{name}: {(after == null ? "removed" : before == null ? "added" : "changed")}";
}
