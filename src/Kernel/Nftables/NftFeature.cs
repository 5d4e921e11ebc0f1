using Calico.Bgp.Kernel.Netlink;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// What of the kernel a rule needs beyond nf_tables itself, by the option that it is built with. Where the kernel does not know an
/// expression it says no more than "No such file or directory".
/// </summary>
internal static class NftFeature
{
    public static string Option(NftStatement statement) => statement switch
    {
        ActMasquerade => "CONFIG_NFT_MASQ",
        ActSourceNat or ActSourceNatByService or ActPrefixNat or ActRedirect => "CONFIG_NFT_NAT",
        MatchLocalSource or MatchLocalDestination or MatchReversePath => "CONFIG_NFT_FIB_INET",
        MatchState or MatchTranslated or MatchOriginalService or MatchDirection or MatchConnectionMark
            or ActNoTrack or ActTimeout or ActConnectionMark => "CONFIG_NFT_CT",
        ActReject => "CONFIG_NFT_REJECT",
        ActLog => "CONFIG_NFT_LOG",
        MatchRate => "CONFIG_NFT_LIMIT",
        ActQueue { Way: QueueWay.Expression } => "CONFIG_NFT_QUEUE",
        ActQueue { Way: QueueWay.Copies } => "CONFIG_NFT_LOG",
        ActQueue => "CONFIG_NFT_COMPAT",
        ActCountBy => "CONFIG_NF_TABLES",
        MatchSourceShare or ActSpread => "CONFIG_NFT_HASH",
        MatchChance => "CONFIG_NFT_NUMGEN",
        _ => "CONFIG_NF_TABLES",
    };

    /// <summary>What to do about a refusal, as far as it can be told.</summary>
    public static string Advice(NftPart part, int errno) => part switch
    {
        _ when errno == EPERM => NetlinkAnswer.NeedsAdmin,
        NftPart.Table when IsMissing(errno) => "the kernel may lack CONFIG_NF_TABLES_INET",
        NftPart.Chain when IsMissing(errno) => "the kernel may lack CONFIG_NFT_NAT",
        NftPart.Timeout when IsMissing(errno) => "the kernel may lack CONFIG_NF_CONNTRACK_TIMEOUT",
        NftPart.Rule rule when IsMissing(errno) => $"the kernel may lack {string.Join(" or ", Options(rule.Value))}",
        _ => "the rest is in force",
    };

    /// <summary>An element that is put again gets the time that it is put with; before Linux 6.12 it keeps what it has.</summary>
    public static readonly bool RenewsTimeouts = Environment.OSVersion.Version >= new Version(6, 12);

    /// <summary>The kernel does not know what was asked for.</summary>
    public static bool IsMissing(int errno) => errno == ENOENT || errno == EOPNOTSUPP;

    private static IEnumerable<string> Options(NftRule rule) =>
        rule.Statements.Select(Option).Where(option => option != "CONFIG_NF_TABLES").Distinct().DefaultIfEmpty("CONFIG_NF_TABLES");
}
