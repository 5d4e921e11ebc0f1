using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Configuration;

/// <summary><c>nat</c>: translating what leaves the pools, and where the network does it instead.</summary>
internal sealed class NatReader(Section root)
{
    private static readonly Reading<Community> Community = new("a community such as 65001:77", ParseCommunity);

    /// <summary>Null: the file does not speak of NAT, and no rule is touched.</summary>
    public NatSettings? Read(bool hasSources)
    {
        if (!root.Has("nat")) return null;
        var nat = root.Child("nat");
        var settings = nat == null ? new NatSettings { Enabled = true } : Read(nat);
        nat?.Close();
        if (settings.Enabled && !hasSources)
            root.Problems.Warn(root.At("nat"), "nat has nothing to translate: IPPools come from sources, and there are none");
        return settings;
    }

    private static NatSettings Read(Section nat) => new()
    {
        Enabled = nat.Flag("enabled", otherwise: true),
        Persistent = nat.Flag("persistent", otherwise: false),
        OnChange = nat.Word("onChange", ("keep", OnPoolChange.Keep), ("cut", OnPoolChange.Cut)) ?? OnPoolChange.Keep,
        Upstream = Upstream(nat.Child("upstream")),
    };

    private static UpstreamSettings Upstream(Section? upstream)
    {
        if (upstream == null) return new();
        var peers = upstream.List("peers").OfType<ScalarNode>().Select(peer => peer.Text).ToArray();
        var all = peers is ["all"];
        var settings = new UpstreamSettings
        {
            AllPeers = all,
            Peers = all ? [] : [.. peers],
            Community = upstream.Value("community", Community),
            StableFor = upstream.Duration("stableFor", TimeSpan.Zero, TimeSpan.FromHours(1)) ?? UpstreamSettings.DefaultStableFor,
        };
        upstream.Close();
        return settings;
    }

    private static Community? ParseCommunity(string text)
    {
        var parts = text.Split(':');
        return parts.Length == 2 && ushort.TryParse(parts[0], out var high) && ushort.TryParse(parts[1], out var low)
            ? new Community(high, low) : null;
    }
}
