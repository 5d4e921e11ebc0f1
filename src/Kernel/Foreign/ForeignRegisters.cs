namespace Calico.Bgp.Kernel.Foreign;

/// <summary>
/// The registers of nf_tables: four of 16 octets (1 to 4), or the same room as sixteen of four (8 to 23). Of each octet it is known what
/// it is, or it is not known.
/// </summary>
internal sealed class ForeignRegisters
{
    private const int Room = 64;

    private readonly byte[] octets = new byte[Room];
    private readonly bool[] known = new bool[Room];

    private static int At(uint register) => register switch
    {
        >= 1 and <= 4 => (int)(register - 1) * 16,
        >= 8 and < 24 => (int)(register - 8) * 4,
        _ => Room, // none that values stand in
    };

    /// <summary>As the kernel does, up to a whole register of four octets with zeros behind.</summary>
    public void Put(uint register, ReadOnlySpan<byte> value)
    {
        Put(register, value.Length, true);
        var at = At(register);
        value[..Math.Min(value.Length, Math.Max(0, Room - at))].CopyTo(octets.AsSpan(Math.Min(at, Room)));
    }

    public void Forget(uint register, int length) => Put(register, length, false);

    private void Put(uint register, int length, bool isKnown)
    {
        for (var i = At(register); i < Math.Min(At(register) + Netlink.NetlinkMessage.Align(length), Room); i++)
            (octets[i], known[i]) = (0, isKnown);
    }

    public void ForgetAll() => Array.Clear(known);

    /// <returns>Null: some of it is not known.</returns>
    public byte[]? Of(uint register, int length)
    {
        var at = At(register);
        if (length < 0 || length > Room - at || known.AsSpan(at, length).Contains(false)) return null;
        return octets.AsSpan(at, length).ToArray();
    }

    /// <summary>Nothing that is known of the register speaks against this value.</summary>
    public bool MayBe(uint register, ReadOnlySpan<byte> value)
    {
        var at = At(register);
        for (var i = 0; i < value.Length && at + i < Room; i++)
            if (known[at + i] && octets[at + i] != value[i]) return false;
        return true;
    }
}
