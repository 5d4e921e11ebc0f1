using Calico.Bgp.Net;

namespace Calico.Bgp.Wire;

/// <summary>Prefixes as RFC 4271 section 4.3 writes them, with RFC 7911's path identifier before each where it was negotiated.</summary>
//  +----------------------+------------+-------------------------------------+
//  | Path identifier (32) | Length (8) | Prefix (as many octets as it needs) |  as often as there is room
//  +----------------------+------------+-------------------------------------+
public static class Nlri
{
    /// <summary>True where every prefix is whole and none is longer than its family's addresses (RFC 7606 section 5.3).</summary>
    /// <param name="suspect">By its first octet one of them may be a martian.</param>
    public static bool IsSound(NlriRun run, out bool suspect)
    {
        suspect = false;
        var octets = run.Octets;
        var before = run.AddPath ? 4 : 0;
        var bits = run.Family.Bits();
        var at = 0;
        while (at < octets.Length)
        {
            at += before;
            if (at >= octets.Length || octets[at] > bits) return false;
            var next = at + OctetsOf(octets[at]);
            if (next > octets.Length) return false;
            if (next > at + 1) suspect |= IsSuspect(octets[at + 1], run.Family);
            at = next;
        }
        return at == octets.Length;
    }

    /// <summary>The run without the prefixes that nobody may announce (<see cref="IsMartian"/>).</summary>
    /// <param name="run">A sound one.</param>
    /// <param name="scratch">Where it stands; made longer where it has to be.</param>
    /// <param name="count">How many they were.</param>
    /// <param name="first">The first of them, where there is one.</param>
    public static NlriRun WithoutMartians(NlriRun run, scoped ref byte[] scratch, scoped out int count, scoped ref Prefix first)
    {
        if (scratch.Length < run.Octets.Length) scratch = new byte[run.Octets.Length];
        var used = 0;
        count = 0;
        for (var rest = run.Octets; !rest.IsEmpty;)
        {
            var before = rest;
            var prefix = Next(ref rest, run.AddPath);
            if (IsMartian(prefix, run.Family))
            {
                if (count++ == 0) first = PrefixOf(prefix, run.Family);
                continue;
            }
            var whole = before[..^rest.Length];
            whole.CopyTo(scratch.AsSpan(used));
            used += whole.Length;
        }
        return new() { Family = run.Family, AddPath = run.AddPath, Octets = scratch.AsSpan(0, used) };
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest, bool addPath)
    {
        if (addPath) rest = rest[4..];
        var prefix = rest[..OctetsOf(rest[0])];
        rest = rest[prefix.Length..];
        return prefix;
    }

    /// <summary>
    /// Prefixes that no router may be told of: this network (0/8 but for the default route and what else begins with zeros alone),
    /// loopback, multicast, class E with the broadcast address; of IPv6 loopback, IPv4-compatible and IPv4-mapped, link-local, multicast.
    /// What BIRD calls bogus or of too small a scope (its net_classify, 2.0.12), judged by the first address as there; RFC 6890.
    /// </summary>
    private static bool IsMartian(ReadOnlySpan<byte> prefix, IpFamily family)
    {
        if (prefix.Length == 1 || !IsSuspect(prefix[1], family)) return false;
        var address = PrefixOf(prefix, family).Address;
        if (address.IsUnspecified) return false;
        if (family == IpFamily.IPv4) return true;
        return address.IsMulticast || address.IsLinkLocal || (address.High == 0 && address.Low >> 32 is 0 or 0xffff);
    }

    private static bool IsSuspect(byte first, IpFamily family) =>
        family == IpFamily.IPv4 ? first is 0 or 127 or >= 224 : first is 0 or >= 0xfe;

    private static Prefix PrefixOf(ReadOnlySpan<byte> prefix, IpFamily family)
    {
        Span<byte> octets = stackalloc byte[16];
        octets.Clear();
        prefix[1..].CopyTo(octets);
        return new(Address.FromOctets(octets[..family.Octets()]), prefix[0]);
    }

    /// <summary>How many octets of whole prefixes fit into <paramref name="room"/>; the octets are known to be sound.</summary>
    public static int Fitting(ReadOnlySpan<byte> octets, bool addPath, int room)
    {
        if (octets.Length <= room) return octets.Length;
        var before = addPath ? 4 : 0;
        var at = 0;
        while (true)
        {
            var next = at + before + OctetsOf(octets[at + before]);
            if (next > room) return at;
            at = next;
        }
    }

    /// <summary>The longest that one prefix can be.</summary>
    public static int MaxOctets(IpFamily family, bool addPath) => (addPath ? 4 : 0) + 1 + family.Octets();

    /// <summary>A prefix of this length, with the octet that says so.</summary>
    public static int OctetsOf(byte length) => 1 + ((length + 7) >> 3);
}
