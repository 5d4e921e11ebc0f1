using System.Globalization;
using System.Numerics;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Dns;

namespace Calico.Bgp.Configuration;

/// <summary><c>policy</c>: enforcing network policies on this node's interfaces.</summary>
internal sealed class PolicyReader(Section root, Folder folder)
{
    private const int BitsNeeded = 2;

    /// <summary>Resolvers ask again after that (resolv.conf's timeout is 5 s).</summary>
    private static readonly TimeSpan MostDeadline = TimeSpan.FromSeconds(3);

    private static readonly Reading<uint> Mask = new("a mask of two bits or more, such as 0xffff0000,", ParseMask);

    /// <summary>Null: the file does not speak of policy, and no packet is stopped.</summary>
    public PolicySettings? Read(bool hasSources)
    {
        if (!root.Has("policy")) return null;
        var policy = root.Child("policy");
        var settings = policy == null ? new PolicySettings { Enabled = true } : Read(policy);
        policy?.Close();
        if (settings.Enabled && !hasSources)
            root.Problems.Warn(root.At("policy"), "policy has nothing to enforce: policies come from sources, and there are none");
        return settings;
    }

    private PolicySettings Read(Section policy) => new()
    {
        Enabled = policy.Flag("enabled", otherwise: true),
        AutomaticHostEndpoints = policy.Flag("automaticHostEndpoints", otherwise: false),
        CutNarrowed = policy.Flag("cutNarrowed", otherwise: false),
        LogDenied = policy.Flag("logDenied", otherwise: false),
        MarkMask = policy.Value("markMask", Mask) ?? PolicySettings.DefaultMarkMask,
        Dns = policy.Child("dns") is { } dns ? ReadDns(dns) : null,
    };

    private DnsSettings ReadDns(Section dns)
    {
        var settings = new DnsSettings();
        settings = settings with
        {
            Mode = dns.Word("mode", ("hold", DnsMode.Hold), ("deny-delay", DnsMode.DenyDelay), ("none", DnsMode.None)),
            Isolation = dns.Word("isolation", ("pod", DnsIsolation.Pod), ("node", DnsIsolation.Node)) ?? settings.Isolation,
            Deadline = dns.Duration("deadline", TimeSpan.FromMilliseconds(1), MostDeadline) ?? settings.Deadline,
            MinTtl = dns.Duration("minTTL", TimeSpan.Zero, TimeSpan.FromHours(1)) ?? settings.MinTtl,
            CacheFile = ReadCacheFile(dns),
        };
        dns.Close();
        return settings;
    }

    /// <summary>Its folder may come with the daemon's unit, so without it this is no error.</summary>
    private string? ReadCacheFile(Section dns)
    {
        if (dns.Text("cacheFile") is not { } text) return null;
        if (text.Length == 0 || text.EndsWith('/') || text.Contains('\0'))
        {
            dns.Error("cacheFile", $"expected a file for {dns.Name("cacheFile")}, got {dns.At("cacheFile").Kind}");
            return null;
        }
        var path = folder.Resolve(text);
        if (Path.GetDirectoryName(path) is { Length: > 0 } parent && !Directory.Exists(parent))
            dns.Problems.Warn(dns.At("cacheFile"), $"{path} cannot be written while its folder {parent} is not there: nothing that was "
                + "looked up outlives a restart");
        return path;
    }

    /// <summary>In hexadecimal, as Felix's, or decimal.</summary>
    internal static uint? ParseMask(string text)
    {
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return uint.TryParse(isHex ? text[2..] : text, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None,
            CultureInfo.InvariantCulture, out var mask) && BitOperations.PopCount(mask) >= BitsNeeded ? mask : null;
    }
}
