// Routes that try a configuration where it can break: every prefix that it names and what lies beside, within and around it, from every
// source; and on one route within each, every interface, metric, local preference, community, AS path and next hop that its filters ask
// about, with their neighbours.
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

internal sealed class Probes
{
    private const uint Most = 2147483647;

    private static readonly Source[] Sources = [Source.RTS_BGP, Source.RTS_STATIC, Source.RTS_INHERIT, Source.RTS_DEVICE];
    private static readonly string?[] Links = [null, "eth0", "eth1", "tunl0", "cali97e1defe654", "vxlan.calico", "vxlan-v6.calico",
        "wireguard.cali", "bpfin.cali", "lo"];

    private readonly BirdConfig config;
    private readonly AddressFamily family;
    private readonly Mentions mentions;

    private Probes(BirdConfig config, AddressFamily family, IEnumerable<string> texts)
    {
        this.config = config;
        this.family = family;
        mentions = new(texts, family);
    }

    /// <param name="config"></param>
    /// <param name="family"></param>
    /// <param name="texts">The configuration's and the resources' words, from which prefixes and numbers are taken.</param>
    public static Probe[] For(BirdConfig config, AddressFamily family, IEnumerable<string> texts) =>
        [.. new Probes(config, family, texts).Make().DistinctBy(probe => $"{probe}")];

    private IEnumerable<Probe> Make()
    {
        var prefixes = mentions.Prefixes.SelectMany(Around).Distinct().ToArray();
        foreach (var prefix in prefixes)
            foreach (var probe in Everywhere(prefix))
                yield return probe;
        foreach (var prefix in mentions.Prefixes.Select(Within).Distinct())
            foreach (var probe in Closely(prefix).Concat(Learned(prefix)))
                yield return probe;
    }

    /// <summary>What every prefix is tried with.</summary>
    private IEnumerable<Probe> Everywhere(IPNetwork prefix) =>
    [
        .. Sources.Select(source => new Probe(prefix, source)),
        .. Links.Select(link => new Probe(prefix, Source.RTS_BGP) { Interface = link, LocalPref = 100 }),
        .. Links.Select(link => new Probe(prefix, Source.RTS_INHERIT) { Interface = link, Metric = 1024 }),
        new(prefix, Source.RTS_INHERIT) { Interface = "cali97e1defe654", Metric = 512 },
        new(prefix, Source.RTS_BGP) { LocalPref = Most - 512 },
        .. config.Peers.Select(peer => new Probe(prefix, Source.RTS_BGP) { From = peer.Name }),
    ];

    /// <summary>What one prefix within each is tried with besides.</summary>
    private IEnumerable<Probe> Closely(IPNetwork prefix)
    {
        var learned = new Probe(prefix, Source.RTS_BGP);
        return
        [
            .. mentions.Links.Select(link => learned with { Interface = link }),
            .. mentions.Links.Select(link => new Probe(prefix, Source.RTS_INHERIT) { Interface = link }),
            .. Metrics().Select(metric => new Probe(prefix, Source.RTS_INHERIT) { Metric = metric }),
            .. Metrics().Select(metric => learned with { Metric = metric }),
            .. Metrics().Select(metric => learned with { LocalPref = Most - metric }),
            .. NextHops().Select(hop => learned with { NextHop = hop }),
            .. Paths().Select(path => learned with { AsPath = path }),
            .. mentions.Communities.Select(community => learned with { Communities = community }),
            .. mentions.LargeCommunities.Select(community => learned with { LargeCommunities = community }),
        ];
    }

    /// <summary>What a peer's import is tried with; an external one sends no local preference.</summary>
    private IEnumerable<Probe> Learned(IPNetwork prefix) =>
        from peer in config.Peers
        let plain = new Probe(prefix, Source.RTS_BGP) { From = peer.Name }
        from probe in (Probe[])
        [
            .. Links.Concat(mentions.Links).Select(link => plain with { Interface = link }),
            .. Paths().Select(path => plain with { AsPath = path }),
            .. mentions.Communities.Select(community => plain with { Communities = community }),
            .. mentions.LargeCommunities.Select(community => plain with { LargeCommunities = community }),
            .. peer.Internal ? Metrics().Select(metric => plain with { LocalPref = Most - metric }) : [],
        ]
        select probe;

    /// <summary>Metrics, and local preferences by their distance from the top: where the configuration's numbers change what
    /// happens.</summary>
    private IEnumerable<uint> Metrics() =>
        mentions.Numbers.Select(number => number > Most / 2 ? Most - number : number).Append(1024u)
            .SelectMany(number => new[] { number - 1, number, number + 1 }).Append(512u).Append(Most - 100).Where(number =>
                number is > 0 and <= Most).Distinct().Order();

    private IEnumerable<ImmutableArray<uint>> Paths() =>
        mentions.Paths.SelectMany(path => (ImmutableArray<uint>[])[path, [.. path, 64999], [64999, .. path], [.. path.Reverse()],
            path[..1]])
            .Append([64999]).DistinctBy(path => string.Join(' ', path));

    private IEnumerable<IPAddress> NextHops() =>
        config.Peers.Select(peer => peer.Address).Concat(mentions.Addresses)
            .Append(IPAddress.Parse(family == AddressFamily.InterNetwork ? "198.51.100.1" : "2001:db8:ffff::1")).Distinct();

    private IEnumerable<IPNetwork> Around(IPNetwork prefix)
    {
        yield return prefix;
        yield return Within(prefix);
        if (prefix.PrefixLength > 0) yield return Bits.Cut(prefix.BaseAddress, prefix.PrefixLength - 1);
        if (prefix.PrefixLength > 0) yield return Bits.Sibling(prefix);
        if (prefix.PrefixLength < Bits.Length(prefix.BaseAddress)) yield return Bits.Cut(prefix.BaseAddress, prefix.PrefixLength + 1);
        foreach (var length in mentions.Lengths.SelectMany(length => new[] { length - 1, length, length + 1 }).Distinct())
            if (length > prefix.PrefixLength && length <= Bits.Length(prefix.BaseAddress)) yield return Bits.Cut(prefix.BaseAddress,
                length);
    }

    /// <summary>The last host of a prefix.</summary>
    private static IPNetwork Within(IPNetwork prefix) => Bits.LastHost(prefix);
}
