using System.Numerics;
using Calico.Bgp.Bfd;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;

namespace Calico.Bgp.Configuration;

/// <summary><c>egress</c>: gateways out of the cluster. What is not done yet is refused, so that nobody relies upon it.</summary>
internal sealed class EgressReader(Section root)
{
    private const int BitsNeeded = 3;

    /// <summary>What a peer may be asked to wait (RFC 4724 section 3).</summary>
    private static readonly TimeSpan MostRestart = TimeSpan.FromSeconds(4095);

    private static readonly Reading<uint> Mask = new("a mask of three bits or more without gaps, such as 0xfff00000,", ParseMask);

    /// <summary>Null: the file does not speak of egress, and packets leave as if there were no gateways.</summary>
    /// <param name="policy">Which has bits of the packet mark, too.</param>
    public EgressSettings? Read(bool hasSources, PolicySettings? policy)
    {
        if (!root.Has("egress")) return null;
        var egress = root.Child("egress");
        var settings = egress == null ? new EgressSettings { Enabled = true } : Read(egress);
        if (settings.Enabled && settings.SharedWith(policy) is > 0 and var shared)
            root.Problems.Error(root.At("egress"), $"expected bits of the packet mark that policy does not use (egress.markMask "
                + $"0x{settings.MarkMask:x8}, policy.markMask 0x{policy!.MarkMask:x8}), got 0x{shared:x8} in both");
        egress?.Close();
        if (settings.Enabled && !hasSources)
            root.Problems.Warn(root.At("egress"), "egress has no gateways: they come from sources, and there are none");
        return settings;
    }

    private static EgressSettings Read(Section egress)
    {
        var mode = egress.Word("mode", ("node", EgressMode.Node), ("pods", EgressMode.Pods)) ?? EgressMode.Node;
        var isPinned = egress.Flag("pinned", otherwise: false);
        if (isPinned && mode == EgressMode.Pods)
            egress.Error("pinned", $"expected false for {egress.Name("pinned")} in mode pods, got true: each pod has its own address");
        var replicates = egress.Flag("replicateFlows", otherwise: false);
        if (replicates && !isPinned)
            egress.Error("replicateFlows", $"expected false for {egress.Name("replicateFlows")} without {egress.Name("pinned")}, got true: "
                + "an address that stays at its node takes no flows along");
        var probe = egress.Child("probe");
        var settings = new EgressSettings
        {
            Enabled = egress.Flag("enabled", otherwise: true),
            Mode = mode,
            MarkMask = egress.Value("markMask", Mask) ?? EgressSettings.DefaultMarkMask,
            Pinned = isPinned,
            ReplicateFlows = replicates,
            ReplicationPort = (ushort)(egress.Number("replicationPort", 1, ushort.MaxValue) ?? EgressSettings.DefaultReplicationPort),
            FlowLog = egress.Flag("flowLog", otherwise: false),
            ProbeInterval = probe?.Duration("interval", BfdTimes.Least, BfdTimes.Most) ?? EgressSettings.DefaultProbeInterval,
            ProbeMultiplier = (int)(probe?.Number("multiplier", 1, BfdTimes.MostMissed) ?? EgressSettings.DefaultProbeMultiplier),
        };
        probe?.Close();
        return settings with { RestartTime = egress.Duration("restartTime", TimeSpan.Zero, MostRestart) ?? TimeSpan.Zero };
    }

    private static uint? ParseMask(string text) => PolicyReader.ParseMask(text) is { } mask
        && BitOperations.PopCount(mask) >= BitsNeeded && HasNoGaps(mask) ? mask : null;

    private static bool HasNoGaps(uint mask) =>
        BitOperations.PopCount(mask) == 32 - BitOperations.LeadingZeroCount(mask) - BitOperations.TrailingZeroCount(mask);
}
