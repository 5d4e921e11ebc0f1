using System.Buffers.Binary;
using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// Makes a new attribute set out of another one: what filters and the export door do with it.
/// </summary>
/// <remarks>
/// Canonical octets, the form that attribute sets have everywhere between decoder and encoder: attributes in ascending order of
/// their type, each as flags, type, length (one octet, or two with the extended-length flag where the value exceeds 255 octets),
/// value; known attributes with the flags of their RFC, unknown transitive ones with the partial bit. (The partial bit of a known
/// transitive attribute stays as it came: RFC 4271 section 5 forbids to clear it.) AS numbers have four octets
/// (AS4_PATH and AS4_AGGREGATOR are merged and gone). The next hop always stands as attribute 3 with 4 octets (IPv4),
/// 16 (IPv6) or 32 (IPv6 with link-local), whatever the family; MP_REACH_NLRI and MP_UNREACH_NLRI never occur.
/// Equal sets have equal octets.
/// </remarks>
public sealed partial class AttributeEditor
{
    private readonly record struct Entry(AttributeType Type, AttributeFlags Flags, int Start, int Length);

    // Values stand where they were loaded or last written; nothing is freed before the next load.
    private byte[] values = new byte[512];
    private int used;
    private readonly Entry[] entries = new Entry[256];
    private int count;
    private byte[] finished = new byte[512];

    public void Load(ReadOnlySpan<byte> canonical)
    {
        used = 0;
        count = 0;
        var start = Append(canonical);
        foreach (var attribute in new AttributeView(canonical))
            entries[count++] = new(attribute.Type, attribute.Flags, start + attribute.End - attribute.Value.Length, attribute.Value.Length);
    }

    /// <summary>An own route: the origin, an empty path, nothing else.</summary>
    public void LoadEmpty(Origin origin)
    {
        used = 0;
        count = 0;
        SetOrigin(origin);
        Set(AttributeType.AsPath, []);
    }

    public void SetOrigin(Origin origin) => Set(AttributeType.Origin, [(byte)origin]);

    public void SetNextHop(Address address, Address? linkLocal = null)
    {
        Span<byte> octets = stackalloc byte[32];
        var length = address.Write(octets);
        if (linkLocal is { } local && length == 16) length += local.Write(octets[16..]);
        Set(AttributeType.NextHop, octets[..length]);
    }

    public void SetMed(uint? med) => Set(AttributeType.MultiExitDisc, med);
    public void SetLocalPref(uint? localPref) => Set(AttributeType.LocalPref, localPref);
    public void SetOtc(uint? otc) => Set(AttributeType.OnlyToCustomer, otc);
    public void SetOriginatorId(RouterId? id) => Set(AttributeType.OriginatorId, id?.Value);

    public void Remove(AttributeType type)
    {
        var at = Find(type);
        if (at < 0) return;
        count--;
        entries.AsSpan(at + 1, count - at).CopyTo(entries.AsSpan(at));
    }

    /// <summary>The edited set, valid until the next call, and its summary. Editing may go on after it.</summary>
    public ReadOnlySpan<byte> Finish(out AttributeSummary summary)
    {
        var octets = Finish();
        summary = new AttributeView(octets).Summarize();
        return octets;
    }

    /// <summary>The edited set, valid until the next call. Editing may go on after it.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        var need = 4 * count;
        foreach (var entry in entries.AsSpan(0, count)) need += entry.Length;
        if (finished.Length < need) finished = new byte[2 * need];
        var at = 0;
        foreach (var entry in entries.AsSpan(0, count))
            at += KeptAttributes.Write((byte)entry.Type, entry.Flags, values.AsSpan(entry.Start, entry.Length), finished.AsSpan(at));
        return finished.AsSpan(0, at);
    }

    /// <summary>The global one of two; null: the set has none.</summary>
    public Address? NextHop => ValueOf(AttributeType.NextHop) is { Length: > 0 } octets
        ? Address.FromOctets(octets.Length == 32 ? octets[..16] : octets) : null;

    private ReadOnlySpan<byte> ValueOf(AttributeType type)
    {
        var at = Find(type);
        return at < 0 ? default : values.AsSpan(entries[at].Start, entries[at].Length);
    }

    private void Set(AttributeType type, uint? value)
    {
        if (value is not { } number)
        {
            Remove(type);
            return;
        }
        Span<byte> octets = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, number);
        Set(type, octets);
    }

    private void Set(AttributeType type, ReadOnlySpan<byte> value) => Point(type, Append(value), value.Length);

    /// <summary>Makes the attribute, new or not, have the value that stands at <paramref name="start"/>.</summary>
    private void Point(AttributeType type, int start, int length)
    {
        var at = Find(type);
        if (at >= 0)
        {
            entries[at] = entries[at] with { Start = start, Length = length };
            return;
        }
        at = ~at;
        entries.AsSpan(at, count - at).CopyTo(entries.AsSpan(at + 1));
        entries[at] = new(type, AttributeTable.FlagsOf(type), start, length);
        count++;
    }

    /// <summary>Where the type stands, or the complement of where it would.</summary>
    private int Find(AttributeType type)
    {
        for (var i = 0; i < count; i++)
            if (entries[i].Type >= type) return entries[i].Type == type ? i : ~i;
        return ~count;
    }

    private int Append(ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(Room(octets.Length));
        return used - octets.Length;
    }

    /// <summary>Room at the end of the values. Spans of values taken before it may be stale after it.</summary>
    private Span<byte> Room(int octets)
    {
        if (values.Length - used < octets) Array.Resize(ref values, Math.Max(2 * values.Length, used + octets));
        used += octets;
        return values.AsSpan(used - octets, octets);
    }
}
