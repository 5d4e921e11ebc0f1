using System.Buffers.Binary;
using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>A value as nf_tables compares it: octets in the network's order, equal and ordered by what they are.</summary>
public readonly struct NftOctets : IEquatable<NftOctets>, IComparable<NftOctets>
{
    private readonly byte[]? all;
    private readonly ushort from, length;

    public NftOctets(byte[] value) : this(value, 0, value.Length) { }

    /// <summary>A part of an array, which nobody changes any more.</summary>
    internal NftOctets(byte[] all, int from, int length) =>
        (this.all, this.from, this.length) = (all, checked((ushort)from), checked((ushort)length));

    public ReadOnlySpan<byte> Span => all.AsSpan(from, length);

    /// <param name="room">Where they are to stand; null: by themselves.</param>
    public static NftOctets Of(Address address, OctetRoom? room = null)
    {
        var octets = OctetRoom.Take(room, address.Family.Octets(), out var into);
        address.Write(into);
        return octets;
    }

    public static NftOctets Of(ushort port)
    {
        var octets = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(octets, port);
        return new(octets);
    }

    /// <summary>An address and a port, as parts of one key or value.</summary>
    /// <param name="room">Where they are to stand; null: by themselves.</param>
    public static NftOctets OfPort(Address address, ushort port, OctetRoom? room = null)
    {
        var octets = OctetRoom.Take(room, address.Family.Octets() + sizeof(uint), out var into);
        BinaryPrimitives.WriteUInt16BigEndian(into[address.Write(into)..], port);
        return octets;
    }

    /// <summary>An interface's name: IFNAMSIZ octets, filled up with zeros.</summary>
    /// <exception cref="ArgumentException">No interface can be called so.</exception>
    public static NftOctets OfInterface(string name)
    {
        var octets = new byte[16];
        OfInterfaceStart(name).CopyTo(octets.AsSpan());
        return new(octets);
    }

    /// <summary>The beginning of interfaces' names.</summary>
    /// <exception cref="ArgumentException">No interface's name begins so.</exception>
    public static byte[] OfInterfaceStart(string name) => Encoding.UTF8.GetBytes(name) is { Length: > 0 and < 16 } octets
        ? octets : throw new ArgumentException($"expected an interface's name of 1 to 15 octets, got \"{name}\"", nameof(name));

    /// <summary>The parts of a concatenated key, each filled up to four octets.</summary>
    public static NftOctets Of(params ReadOnlySpan<NftOctets> parts)
    {
        var length = 0;
        foreach (var part in parts) length += Filled(part);
        var (all, at) = (new byte[length], 0);
        foreach (var part in parts)
        {
            part.Span.CopyTo(all.AsSpan(at));
            at += Filled(part);
        }
        return new(all);

        static int Filled(NftOctets part) => (part.Span.Length + 3) & ~3;
    }

    public bool IsAllOnes => length > 0 && !Span.ContainsAnyExcept((byte)0xff);

    /// <summary>The next one in order; of all ones there is none.</summary>
    public NftOctets Next() => Step(0xff, 0, 1);

    public NftOctets Previous() => Step(0, 0xff, -1);

    private NftOctets Step(byte carries, byte becomes, int by)
    {
        var octets = Span.ToArray();
        for (var i = octets.Length - 1; i >= 0; i--)
        {
            var carry = octets[i] == carries;
            octets[i] = carry ? becomes : (byte)(octets[i] + by);
            if (!carry) break;
        }
        return new(octets);
    }

    public bool Equals(NftOctets other) => Span.SequenceEqual(other.Span);
    public override bool Equals(object? obj) => obj is NftOctets other && Equals(other);
    public int CompareTo(NftOctets other) => Span.SequenceCompareTo(other.Span);
    public static bool operator ==(NftOctets a, NftOctets b) => a.Equals(b);
    public static bool operator !=(NftOctets a, NftOctets b) => !a.Equals(b);
    public static bool operator <(NftOctets a, NftOctets b) => a.CompareTo(b) < 0;
    public static bool operator >(NftOctets a, NftOctets b) => a.CompareTo(b) > 0;
    public static bool operator <=(NftOctets a, NftOctets b) => a.CompareTo(b) <= 0;
    public static bool operator >=(NftOctets a, NftOctets b) => a.CompareTo(b) >= 0;

    /// <summary>Keys are asked for more than anything else: a multiplication for eight octets, from a beginning that is another in each
    /// run, so that nobody can choose addresses that all fall upon one place.</summary>
    public override int GetHashCode()
    {
        const ulong odd = 0x9e3779b97f4a7c15;
        var hash = Beginning ^ (ulong)Span.Length;
        var left = Span;
        for (; left.Length >= sizeof(ulong); left = left[sizeof(ulong)..])
            hash = Mixed((hash ^ BinaryPrimitives.ReadUInt64LittleEndian(left)) * odd);
        if (left.Length >= sizeof(uint))
        {
            hash = Mixed((hash ^ BinaryPrimitives.ReadUInt32LittleEndian(left)) * odd);
            left = left[sizeof(uint)..];
        }
        foreach (var octet in left) hash = (hash ^ octet) * odd;
        return (int)(Mixed(hash * odd) >> 32);

        static ulong Mixed(ulong value) => value ^ (value >> 29);
    }

    private static readonly ulong Beginning = (ulong)Random.Shared.NextInt64();

    public override string ToString() => Convert.ToHexStringLower(Span);
}
