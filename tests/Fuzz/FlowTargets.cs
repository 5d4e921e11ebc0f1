using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Egress.Replication;

namespace Calico.Bgp.Fuzz;

/// <summary>What a node says of flows to another that shares gateways with it, and of gateways to those that watch it.</summary>
internal static class FlowTargets
{
    /// <summary>A whole conversation: two flows, one of which ends.</summary>
    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        Convert.FromHexString("000601626770660100170204" + "0a0a0a0006fd100000000000000000000000000000" + "000103"
            + "0061050406c0a801029cb0c633640101bb0a0a0a009cb103030006978000000017"
            + "063afd010000000000000000000000010002000720010db80000000000000000000000010000fd100000000000000000000000000000000800010000001e"
            + "00000000" + "000104" + "0015060406c0a801029cb0c633640101bb0a0a0a009cb1" + "000107"),
    ];

    /// <summary>Two gateways, while it waits for flows; and more than there is room for.</summary>
    public static IReadOnlyList<byte[]> Remarks { get; } =
        [Convert.FromHexString("62677065" + "01010002" + "6c7c026f" + "ffffffff"), Convert.FromHexString("62677065" + "01020000")];

    /// <summary>Whatever is read says itself again, but for one that says nothing.</summary>
    public static void Remark(byte[] octets)
    {
        if (GatewayRemark.Read(octets) is { } remark && remark.Write() is { Count: > 0 } again && !again.Items.SequenceEqual(octets))
            throw new InvalidOperationException($"a remark says itself otherwise: {remark}");
    }

    /// <summary>Whatever is read says itself again, octet for octet, until nothing more can be read.</summary>
    public static void Frames(byte[] octets)
    {
        for (ReadOnlySpan<byte> left = octets; FlowFrames.Read(left, out var length, out var damage) is { } frame; left = left[length..])
        {
            var again = new List<byte>();
            FlowFrames.Write(frame, again);
            if (length == 0 || damage != null || !left[..length].SequenceEqual(again.ToArray()))
                throw new InvalidOperationException($"a frame says itself otherwise: {frame}");
        }
    }
}
