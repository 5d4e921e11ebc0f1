using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>The worst that was found in a block of attributes, and where: the attribute is the data of a NOTIFICATION about it.</summary>
internal readonly record struct Fault(Penalty Penalty, AttributeType Attribute, byte Subcode, int Start, int Length, string Rule)
{
    private const int OctetsShown = 16;

    public ReadOnlySpan<byte> Octets(ReadOnlySpan<byte> block) => block.Slice(Start, Length);

    /// <summary>For the log: the rule, and what came instead. A discard costs no text: some peers earn one with every message.</summary>
    public Damage Damage(ReadOnlySpan<byte> block) =>
        new(Penalty, Attribute, Penalty == Penalty.AttributeDiscard ? Rule : Rule + Got(Octets(block)));

    private static string Got(ReadOnlySpan<byte> octets)
    {
        if (octets.IsEmpty) return "";
        var shown = Convert.ToHexStringLower(octets[..Math.Min(octets.Length, OctetsShown)]);
        return octets.Length > OctetsShown ? $"; got {octets.Length} octets, {shown}..." : $"; got {shown}";
    }

    public Notification Notification(ReadOnlySpan<byte> block)
    {
        var octets = Octets(block);
        if (octets.Length > NotificationCodec.MaxData) octets = octets[..NotificationCodec.MaxData];
        return new(ErrorCode.UpdateMessage, Subcode, octets.ToArray());
    }
}
