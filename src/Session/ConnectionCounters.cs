using System.Buffers.Binary;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Session;

/// <summary>
/// What went through one connection. Each direction has one writer; readers may see a moment in between, which is good enough
/// for people and graphs.
/// </summary>
internal sealed class ConnectionCounters
{
    private readonly long[] received = new long[6], sent = new long[6];
    private long octetsIn, octetsOut, discarded, withdrawn;

    public void CountIn(MessageType type) => received[(int)type]++;
    public void CountOctetsIn(int octets) => octetsIn += octets;

    public void CountDamage(Penalty penalty)
    {
        if (penalty == Penalty.AttributeDiscard) discarded++;
        if (penalty == Penalty.TreatAsWithdraw) withdrawn++;
    }

    /// <param name="messages">Whole ones.</param>
    public void CountOut(ReadOnlySpan<byte> messages)
    {
        octetsOut += messages.Length;
        while (messages.Length >= MessageHeader.Octets)
        {
            sent[messages[18]]++;
            int length = BinaryPrimitives.ReadUInt16BigEndian(messages[16..]);
            messages = messages[Math.Max(length, MessageHeader.Octets)..];
        }
    }

    public MessageCounters Now => new(
        new(received[1], received[2], received[3], received[4], received[5], octetsIn),
        new(sent[1], sent[2], sent[3], sent[4], sent[5], octetsOut), discarded, withdrawn);
}
