// A name of the DNS (RFC 1035 section 3.1) in the one form in which it is compared, kept and looked up here: its labels, each behind its
// length, lower case, without compression and without the root's empty label. Unlike the text with dots it is never ambiguous: a label may
// have a dot inside.

using System.Buffers;
using System.Text;

namespace Calico.Bgp.Dataplane.Dns;

internal static class DnsName
{
    /// <summary>255 octets with the root's label (RFC 1035 section 2.3.4), which is left out here.</summary>
    public const int Longest = 254;
    private const int LongestLabel = 63;

    /// <summary>Reads the name that begins at an offset of the message, following pointers (RFC 1035 section 4.1.4): each must lead
    /// further to the front than the last, so none leads in a circle.</summary>
    /// <param name="at">Behind the name afterwards.</param>
    /// <param name="into">Room for <see cref="Longest"/> octets.</param>
    /// <returns>The name's length; -1: there is none.</returns>
    public static int Read(ReadOnlySpan<byte> message, ref int at, Span<byte> into)
    {
        var (from, limit, length, isBehind) = (at, at, 0, false);
        while (true)
        {
            if (from >= message.Length) return -1;
            int octet = message[from++];
            switch (octet >> 6)
            {
                case 0:
                    if (octet == 0)
                    {
                        if (!isBehind) at = from;
                        return length;
                    }
                    if (from + octet > message.Length || length + 1 + octet > Longest) return -1;
                    into[length++] = (byte)octet;
                    Lower(message.Slice(from, octet), into[length..]);
                    length += octet;
                    from += octet;
                    break;
                case 3:
                    if (from >= message.Length) return -1;
                    var target = (octet & 0x3f) << 8 | message[from++];
                    if (target >= limit) return -1;
                    if (!isBehind) at = from;
                    (isBehind, from, limit) = (true, target, target);
                    break;
                default:
                    return -1;
            }
        }
    }

    private static void Lower(ReadOnlySpan<byte> label, Span<byte> into)
    {
        for (var index = 0; index < label.Length; index++)
        {
            var octet = label[index];
            into[index] = (byte)(octet - 'A' <= 'Z' - 'A' && octet >= 'A' ? octet | 0x20 : octet);
        }
    }

    /// <summary>A name as bgpctl's user or a pattern writes it; a dot at the end does not count.</summary>
    /// <returns>Null: no name can be written so.</returns>
    public static byte[]? Parse(string text)
    {
        if (text is "" or ".") return [];
        var into = new ArrayBufferWriter<byte>(text.Length + 1);
        foreach (var label in (text.EndsWith('.') ? text[..^1] : text).Split('.'))
        {
            if (label.Length is 0 or > LongestLabel || !Ascii.IsValid(label)) return null;
            into.Write([(byte)label.Length, .. Encoding.ASCII.GetBytes(label.ToLowerInvariant())]);
        }
        return into.WrittenCount > Longest ? null : into.WrittenSpan.ToArray();
    }

    /// <summary>With dots, and what is no plain character as RFC 1035 section 5.1 escapes it.</summary>
    public static string Text(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) return ".";
        var text = new StringBuilder(name.Length);
        for (; !name.IsEmpty; name = name[(name[0] + 1)..])
        {
            if (text.Length > 0) text.Append('.');
            foreach (var octet in name.Slice(1, name[0]))
                if (octet is (byte)'.' or (byte)'\\') text.Append('\\').Append((char)octet);
                else if (octet is > (byte)' ' and < 0x7f) text.Append((char)octet);
                else text.Append('\\').Append(octet.ToString("D3", System.Globalization.CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }
}

/// <summary>Compares names in their one form, and finds them by octets that are nobody's own.</summary>
internal sealed class DnsNameComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static readonly DnsNameComparer Instance = new();

    public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);
    public bool Equals(ReadOnlySpan<byte> name, byte[] other) => name.SequenceEqual(other);
    public byte[] Create(ReadOnlySpan<byte> name) => name.ToArray();
    public int GetHashCode(byte[] name) => GetHashCode(name.AsSpan());

    /// <summary>Seeded in each process: who chooses names cannot choose where they meet.</summary>
    public int GetHashCode(ReadOnlySpan<byte> name)
    {
        var hash = new HashCode();
        hash.AddBytes(name);
        return hash.ToHashCode();
    }
}
