using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>What denies beside the rules of policies.</summary>
internal enum Denial : byte
{
    /// <summary>No policy of a tier has decided.</summary>
    TiersIn,
    TiersOut,
    ProfilesIn,
    ProfilesOut,
    /// <summary>Nobody has named the workload's interface.</summary>
    Unknown,
    Spoofed,
    /// <summary>From a workload to this host (defaultEndpointToHostAction).</summary>
    ToHost,
}

/// <summary>A counter for each, which goes on counting while rules are written anew.</summary>
internal static class Denials
{
    public static string Counter(Denial why) => Enforcement.Prefix + "deny-" + why switch
    {
        Denial.TiersIn => "tier-in",
        Denial.TiersOut => "tier-out",
        Denial.ProfilesIn => "profile-in",
        Denial.ProfilesOut => "profile-out",
        Denial.Unknown => "unknown",
        Denial.Spoofed => "spoofed",
        _ => "to-host",
    };

    private static string Reason(Denial why) => why switch
    {
        Denial.TiersIn or Denial.TiersOut => "end of tier",
        Denial.ProfilesIn or Denial.ProfilesOut => "no profile",
        Denial.Unknown => "unknown endpoint",
        Denial.Spoofed => "spoofed source",
        _ => "to the host",
    };

    public static void Write(PartsWriter into, bool wasOn, bool isOn)
    {
        if (wasOn == isOn && !into.IsFresh) return;
        foreach (var why in Enum.GetValues<Denial>())
            if (isOn) into.PutCounter(Counter(why));
            else into.RemoveCounter(Counter(why));
    }

    public static ImmutableArray<DenialCount> Counted(ImmutableArray<NftCount> counts)
    {
        var byName = counts.ToLookup(count => count.Name, count => new PacketCount(count.Packets, count.Octets));
        return
        [
            .. Enum.GetValues<Denial>().GroupBy(Reason).Select(reason => new DenialCount(reason.Key,
                reason.SelectMany(why => byName[Counter(why)]).Aggregate(default(PacketCount), (sum, one) => sum + one))),
        ];
    }
}
