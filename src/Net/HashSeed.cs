using System.Buffers.Binary;

namespace Calico.Bgp.Net;

/// <summary>
/// What a hash over a peer's octets begins with, so that no peer can choose what collides. From the system's random numbers by way of a
/// GUID (122 of its bits are random): RandomNumberGenerator would load OpenSSL for it, 5 MiB that nothing else needs.
/// </summary>
public static class HashSeed
{
    public static ulong Next()
    {
        Span<byte> octets = stackalloc byte[16];
        Guid.NewGuid().TryWriteBytes(octets);
        return BinaryPrimitives.ReadUInt64LittleEndian(octets) ^ BinaryPrimitives.ReadUInt64BigEndian(octets[8..]);
    }
}
