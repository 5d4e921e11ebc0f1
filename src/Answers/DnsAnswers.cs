using Calico.Bgp.Dataplane.Dns;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/dns/cache</c>: what endpoints with rules by names have been answered, by endpoint and name.</summary>
/// <param name="Problem">Why nothing is learned; null: it is, where rules have names.</param>
public sealed record DnsCacheAnswer(bool InUse, string? Problem, IReadOnlyList<DnsNameAnswer> Names)
{
    public static DnsCacheAnswer Of(DnsView view, IEnumerable<DnsCacheEntry> entries) =>
        new(view.IsInUse, view.Problem, [.. entries.Select(DnsNameAnswer.Of)]);
}

/// <summary>A name.</summary>
/// <param name="Endpoint">NAMESPACE/POD, or an interface; empty: this host's own, or with isolation by node anybody's.</param>
/// <param name="Allowed">Some rule goes by it.</param>
public sealed record DnsNameAnswer(
    string Endpoint, string Name, bool Allowed, IReadOnlyList<DnsTargetAnswer> Aliases, IReadOnlyList<DnsTargetAnswer> Addresses)
{
    internal static DnsNameAnswer Of(DnsCacheEntry entry) => new(
        entry.Endpoint, entry.Name, entry.IsAllowed, [.. entry.Aliases.Select(DnsTargetAnswer.Of)],
        [.. entry.Addresses.Select(DnsTargetAnswer.Of)]);
}

/// <summary>What it leads to.</summary>
/// <param name="Ttl">As the server said it.</param>
/// <param name="SecondsLeft">How long it counts yet.</param>
public sealed record DnsTargetAnswer(string To, string Server, uint Ttl, long SecondsLeft)
{
    internal static DnsTargetAnswer Of(DnsCacheTarget target) => new(target.To, target.Server, target.Ttl, target.Seconds);
}
