namespace Calico.Bgp.Net;

/// <summary>A link-layer address of six octets, in the low 48 bits.</summary>
public readonly record struct MacAddress(ulong Value)
{
    /// <exception cref="ArgumentException">Not six octets.</exception>
    public static MacAddress FromOctets(ReadOnlySpan<byte> octets)
    {
        if (octets.Length != 6) throw new ArgumentException($"a MAC address has 6 octets, not {octets.Length}", nameof(octets));
        ulong value = 0;
        foreach (var octet in octets) value = value << 8 | octet;
        return new(value);
    }

    public override string ToString()
    {
        Span<char> text = stackalloc char[17];
        for (var i = 0; i < 6; i++)
        {
            ((byte)(Value >> (40 - 8 * i))).TryFormat(text[(3 * i)..], out _, "x2");
            if (i < 5) text[3 * i + 2] = ':';
        }
        return new string(text);
    }
}
