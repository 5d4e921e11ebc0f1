using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>The worst that was found in a block of attributes, and where: the attribute is the data of a NOTIFICATION about it.</summary>
internal readonly record struct Fault(Penalty Penalty, AttributeType Attribute, byte Subcode, int Start, int Length, string Rule)
{
    private const int OctetsShown = 16;

    public ReadOnlySpan<byte> Octets(ReadOnlySpan<byte> block) => block.Slice(Start, Length);

    /// <summary>For the log: the rule, and what came instead. Made only where something is wrong, so it may take its time.</summary>
    public Damage Damage(ReadOnlySpan<byte> block)
    {
        var octets = Octets(block);
        var shown = Convert.ToHexStringLower(octets[..Math.Min(octets.Length, OctetsShown)]);
        var got = octets.IsEmpty ? "" : octets.Length > OctetsShown ? $"; got {octets.Length} octets, {shown}..." : $"; got {shown}";
        return new(Penalty, Attribute, Rule + got);
    }

    public Notification Notification(ReadOnlySpan<byte> block)
    {
        var octets = Octets(block);
        if (octets.Length > NotificationCodec.MaxData) octets = octets[..NotificationCodec.MaxData];
        return new(ErrorCode.UpdateMessage, Subcode, octets.ToArray());
    }
}
