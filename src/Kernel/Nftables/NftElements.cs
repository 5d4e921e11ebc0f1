using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A set's elements on the wire. A range in a plain set is two elements, its first key and, marked as an end, the key behind its last;
/// a range up to the last key of all has no end. A range of a concatenation is one element with two keys.
/// </summary>
internal static class NftElements
{
    private const ushort ListElement = 1, Key = 1, Data = 2, Flags = 3, Timeout = 4, Expiration = 5, UserData = 6, KeyEnd = 10, Value = 1;
    private const uint IntervalEnd = 1;

    /// <summary>
    /// What nft writes on a range that goes up to the last key, and looks for when it lists it (SET_ELEM_F_INTERVAL_OPEN).
    /// </summary>
    private static readonly byte[] OpenRange = [1, sizeof(uint), .. BitConverter.GetBytes(1u)];

    public static void Write(NetlinkMessage into, NftSet set, NftElement element, bool add)
    {
        if (!set.Intervals) { WriteOne(into, element, null, false, add); return; }
        if (set.Key.Length > 1) { WriteOne(into, element, element.To, false, add); return; }
        WriteOne(into, element, null, element.To.IsAllOnes, add);
        if (!element.To.IsAllOnes) WriteEnd(into, element.To.Next());
    }

    private static void WriteOne(NetlinkMessage into, NftElement element, NftOctets? end, bool open, bool add)
    {
        using var item = into.OpenNested(ListElement);
        Plain(into, Key, element.From);
        if (end is { } last) Plain(into, KeyEnd, last);
        if (element.Value is NftData data) Plain(into, Data, data.Octets);
        else if (element.Value is NftVerdict verdict)
            using (into.OpenNested(Data)) Expressions.WriteVerdict(into, verdict);
        if (add && element.Timeout is { } timeout)
            into.BigEndian(Timeout, NftMessage.Milliseconds(timeout)).BigEndian(Expiration, NftMessage.Milliseconds(timeout));
        if (open) into.Attribute(UserData, OpenRange);
    }

    /// <summary>One that is asked for.</summary>
    public static void WriteKey(NetlinkMessage into, NftOctets key)
    {
        using var item = into.OpenNested(ListElement);
        Plain(into, Key, key);
    }

    private static void WriteEnd(NetlinkMessage into, NftOctets key)
    {
        using var item = into.OpenNested(ListElement);
        into.BigEndian(Flags, IntervalEnd);
        Plain(into, Key, key);
    }

    private static void Plain(NetlinkMessage into, ushort type, NftOctets value)
    {
        using var nest = into.OpenNested(type);
        into.Attribute(Value, value.Span);
    }

    /// <summary>One element as the kernel tells it: a range's end may be another of them.</summary>
    public readonly record struct Told(NftElement Element, bool IsEnd);

    public static Told Read(ReadOnlySpan<byte> item)
    {
        var from = Copy(AttributeReader.Find(AttributeReader.Find(item, Key), Value));
        var end = AttributeReader.Find(AttributeReader.Find(item, KeyEnd), Value);
        var isEnd = (AttributeReader.BigEndian(AttributeReader.Find(item, Flags)) & IntervalEnd) != 0;
        return new(new(from, end.IsEmpty ? from : Copy(end), ReadValue(AttributeReader.Find(item, Data))), isEnd);
    }

    private static NftOctets Copy(ReadOnlySpan<byte> value) => new(value.ToArray());

    private static NftValue? ReadValue(ReadOnlySpan<byte> data)
    {
        const ushort verdict = 2, code = 1, chain = 2;
        if (data.IsEmpty) return null;
        var decision = AttributeReader.Find(data, verdict);
        if (decision.IsEmpty) return new NftData(Copy(AttributeReader.Find(data, Value)));
        var target = AttributeReader.Find(decision, chain);
        return new NftVerdict((NftVerdictCode)(int)AttributeReader.BigEndian(AttributeReader.Find(decision, code)),
            target.IsEmpty ? null : AttributeReader.Text(target));
    }

    /// <summary>
    /// Ranges out of starts and ends, in whatever order they came. Where two ranges touch, the end of one stands before the start of the
    /// other.
    /// </summary>
    public static List<NftElement> Join(NftSet set, List<Told> told)
    {
        if (!set.Intervals || set.Key.Length > 1) return [.. told.Select(one => one.Element)];
        var elements = new List<NftElement>();
        NftElement? open = null;
        foreach (var (element, isEnd) in told.OrderBy(one => one.Element.From).ThenBy(one => !one.IsEnd))
        {
            if (open is { } begun) elements.Add(begun with { To = element.From.Previous() });
            open = isEnd ? null : element;
        }
        if (open is { } last) elements.Add(last with { To = AllOnes(last.From) });
        return elements;
    }

    private static NftOctets AllOnes(NftOctets like)
    {
        var ones = new byte[like.Span.Length];
        Array.Fill(ones, (byte)0xff);
        return new(ones);
    }
}
