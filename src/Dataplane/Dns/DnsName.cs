// A name of the DNS (RFC 1035 section 3.1) in the one form in which it is compared, kept and looked up here: its labels, each behind its
// length, lower case, without compression and without the root's empty label. Unlike the text with dots it is never ambiguous: a label may
// have a dot inside.

using System.Globalization;
using System.Text;

namespace Calico.Bgp.Dataplane.Dns;

internal static class DnsName
{
    /// <summary>255 octets with the root's label (RFC 1035 section 2.3.4), which is left out here.</summary>
    public const int Longest = 254;
    private const int LongestLabel = 63;

    /// <summary>Reads the name that begins at an offset of the message, following pointers (RFC 1035 section 4.1.4): each must lead
    /// further to the front than the last, so none leads in a circle, and none into the header.</summary>
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
                    if (target >= limit || target < DnsMessage.HeaderOctets) return -1;
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

    /// <summary>A name as somebody writes it, or as <see cref="Text"/> does; a dot at the end does not count.</summary>
    /// <returns>Null: no name can be written so.</returns>
    public static byte[]? Parse(string text)
    {
        if (text is "" or ".") return [];
        Span<byte> into = stackalloc byte[Longest];
        var (start, length) = (0, 1);
        for (var at = 0; at < text.Length; at++)
        {
            var isSeparator = text[at] == '.';
            if (isSeparator && at == text.Length - 1) break;
            if (isSeparator)
            {
                if (!End(into, start, length)) return null;
                start = length++;
                continue;
            }
            if (Octet(text, ref at) is not { } octet || length >= Longest) return null;
            into[length++] = octet;
        }
        if (length > Longest || !End(into, start, length)) return null;
        return into[..length].ToArray();
    }

    /// <summary>A label has ended: its length stands before it.</summary>
    private static bool End(Span<byte> name, int start, int behind)
    {
        if (start >= Longest || behind - start - 1 is not (> 0 and <= LongestLabel)) return false;
        name[start] = (byte)(behind - start - 1);
        return true;
    }

    /// <summary>A character, or <c>\.</c> or <c>\046</c>.</summary>
    private static byte? Octet(string text, ref int at)
    {
        if (text[at] != '\\') return char.IsAscii(text[at]) ? (byte)char.ToLowerInvariant(text[at]) : null;
        if (++at >= text.Length) return null;
        if (!char.IsAsciiDigit(text[at])) return char.IsAscii(text[at]) ? (byte)char.ToLowerInvariant(text[at]) : null;
        if (at + 3 > text.Length || !byte.TryParse(text.AsSpan(at, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var octet))
            return null;
        at += 2;
        return octet is >= (byte)'A' and <= (byte)'Z' ? (byte)(octet | 0x20) : octet;
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
                else text.Append('\\').Append(octet.ToString("D3", CultureInfo.InvariantCulture));
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
