using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker;

/// <content>Routes that programs on this node have announced.</content>
public sealed partial class SpeakerLoop
{
    internal const string LeasedName = "lease.";

    private readonly RouteLeases leases;

    /// <summary>Of a route of this source's: until its lease runs out; null: it has no end, or is no leased one. From any thread.</summary>
    internal TimeSpan? LeaseLeft(OwnRouteSource source, Prefix prefix) =>
        source.Name.StartsWith(LeasedName, StringComparison.Ordinal) ? leases.LeftOf(source.Name[LeasedName.Length..^1], prefix) : null;

    /// <returns>What bars it; null: it is announced.</returns>
    internal Task<string?> AnnounceAsync(RouteLease lease) => AskAsync<string?>(done => new SpeakerNews.Announce(lease, done));

    /// <returns>What bars it; null: it is withdrawn.</returns>
    internal Task<string?> WithdrawAsync(string producer, Prefix prefix) =>
        AskAsync<string?>(done => new SpeakerNews.Withdraw(producer, prefix, done));

    private async Task<string?> AnnounceNowAsync(RouteLease lease)
    {
        if (leases.Grant(lease, Config.Producers) is { } barred) return barred;
        var (source, path) = (LeasedBy(lease.Producer, lease.Prefix.Family), new OwnPath(0) { Said = lease.Said });
        // A renewal says nothing new to anybody.
        if (!source.Wanted.TryGetValue(lease.Prefix, out var before) || before != path)
            await source.MoveAsync([(lease.Prefix, path)]).ConfigureAwait(false);
        return null;
    }

    private async Task<string?> WithdrawNowAsync(string producer, Prefix prefix)
    {
        if (!leases.End(producer, prefix)) return leases.WhoInstead(producer, prefix);
        await LeasedBy(producer, prefix.Family).MoveAsync([(prefix, null)]).ConfigureAwait(false);
        return null;
    }

    private async Task ExpireAsync()
    {
        foreach (var (producer, prefix) in leases.Expired())
        {
            log.LeaseExpired(producer, prefix);
            await LeasedBy(producer, prefix.Family).MoveAsync([(prefix, null)]).ConfigureAwait(false);
        }
    }

    /// <summary>As <c>bgpctl routes</c> calls it: <c>lease.metallb1</c> of IPv4, <c>lease.metallb2</c> of IPv6.</summary>
    private OwnRouteSource LeasedBy(string producer, IpFamily family) =>
        producers.SourcesOf($"{LeasedName}{producer}", Moving).Single(source => source.Family == family);
}
