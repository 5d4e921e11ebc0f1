using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// Clients that keep their backend for some time after their last connection: each backend has a set of those that have it, which packets
/// fill and the clock empties. With a backend its set goes, and with that nobody is sent to it any more. A map of clients and backends
/// would keep those that are gone; and nft 1.0.6 ends on a failed assertion where a rule puts into a map what it has found in another.
/// </summary>
/// <param name="Sets">One for each backend; over restarts they are adopted as they are.</param>
internal sealed record KeptBackends(ImmutableArray<NftSet> Sets, NftChain Chain)
{
    /// <summary>More clients than these of one backend have theirs by the hash of their address alone, which is the same until backends
    /// change.</summary>
    private const uint MostClients = 65_536;

    /// <param name="owner">Of several translations with the same owner a client has the same backend.</param>
    /// <param name="backends">With their shares of new clients.</param>
    /// <param name="otherwise">The chain that takes who cannot be remembered.</param>
    public static KeptBackends Of(
        IpFamily family, string owner, TimeSpan time, IReadOnlyList<(Address To, ushort? Port, uint Share)> backends, string otherwise)
    {
        var digit = family == IpFamily.IPv4 ? "4" : "6";
        var type = family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;
        var seconds = (long)time.TotalSeconds;
        NftSet[] sets = [.. backends.Select(one => new NftSet(
            $"svc-kept{digit}-{ContentHash.Of($"{owner} {one.To} {one.Port} {seconds}")}", [type], false, [])
        {
            Dynamic = true,
            Timeout = time,
            Size = MostClients,
        })];
        var total = (uint)backends.Sum(one => one.Share);
        var before = 0u;
        var rules = new List<NftRule>();
        for (var i = 0; i < sets.Length; i++)
            rules.Add(Sent(i, new MatchAddress(family, NftEnd.Source, sets[i].Name)));
        for (var i = 0; i < sets.Length; i++)
        {
            before += backends[i].Share;
            rules.Add(before == total ? Sent(i) : Sent(i, new MatchSourceShare(family, total, before)));
        }
        rules.Add(new(new ActDecide(new NftVerdict(NftVerdictCode.Goto, otherwise))));
        return new([.. sets], new($"svc-keep{digit}-{ContentHash.Of(string.Join('\n', rules))}", null, [.. rules]));

        NftRule Sent(int i, params NftStatement[] to) => new(
            [new MatchFamily(family), .. to, new ActRemember(family, sets[i].Name), new ActRedirect(backends[i].To, backends[i].Port)]);
    }
}
