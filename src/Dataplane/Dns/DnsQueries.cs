using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>
/// Queries of one endpoint that wait for their response. A response answers one that came by the same flow, with the same id and the same
/// question (RFC 5452 section 9.1), once; whoever asks again may be answered again.
/// </summary>
internal sealed class DnsQueries(int most, long life)
{
    private readonly record struct Key(Address Client, ushort ClientPort, Address Server, ushort ServerPort, bool IsTcp, ushort Id);

    private struct Slot
    {
        public Key Key;
        public long Since;
        public ushort Type, Class;
        public byte Length;
        public bool Waits;
    }

    private const int Few = 8;

    // A ring: what was asked first is at its head. Names lie beside it, each in its place.
    private Slot[] slots = new Slot[Math.Min(Few, most)];
    private byte[] names = new byte[Math.Min(Few, most) * DnsName.Longest];
    private int head, count;
    private readonly Dictionary<Key, int> waiting = [];

    /// <returns>False: another one had to go for it.</returns>
    public bool Add(in DnsFlow flow, in DnsMessage query, long now)
    {
        var key = KeyOf(flow, query.Id);
        if (waiting.TryGetValue(key, out var before)) slots[before].Waits = false;
        DropEnded(now);
        var hasRoom = count < most;
        if (!hasRoom) DropHead();
        if (count == slots.Length) Grow();
        var at = (head + count++) % slots.Length;
        slots[at] = new()
        {
            Key = key,
            Since = now,
            Type = query.Type,
            Class = query.Class,
            Length = (byte)query.Name.Length,
            Waits = true,
        };
        query.Name.CopyTo(NameAt(at));
        waiting[key] = at;
        return hasRoom;
    }

    /// <returns>True: this was asked, and is answered now.</returns>
    public bool Answer(in DnsFlow flow, in DnsMessage response, long now)
    {
        if (!waiting.TryGetValue(KeyOf(flow, response.Id), out var at)) return false;
        ref var slot = ref slots[at];
        if (now - slot.Since > life || slot.Type != response.Type || slot.Class != response.Class
            || !NameAt(at)[..slot.Length].SequenceEqual(response.Name)) return false;
        slot.Waits = false;
        waiting.Remove(slot.Key);
        return true;
    }

    private static Key KeyOf(in DnsFlow flow, ushort id) =>
        new(flow.Client, flow.ClientPort, flow.Server, flow.ServerPort, flow.IsTcp, id);

    private Span<byte> NameAt(int slot) => names.AsSpan(slot * DnsName.Longest, DnsName.Longest);

    private void DropEnded(long now)
    {
        while (count > 0 && (!slots[head].Waits || now - slots[head].Since > life)) DropHead();
    }

    private void DropHead()
    {
        if (slots[head].Waits) waiting.Remove(slots[head].Key);
        slots[head].Waits = false;
        head = (head + 1) % slots.Length;
        count--;
    }

    private void Grow()
    {
        var wider = new Slot[Math.Min(slots.Length * 2, most)];
        var widerNames = new byte[wider.Length * DnsName.Longest];
        for (var index = 0; index < count; index++)
        {
            var from = (head + index) % slots.Length;
            wider[index] = slots[from];
            NameAt(from).CopyTo(widerNames.AsSpan(index * DnsName.Longest));
            if (slots[from].Waits) waiting[slots[from].Key] = index;
        }
        (slots, names, head) = (wider, widerNames, 0);
    }
}
