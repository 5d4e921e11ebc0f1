using System.Buffers.Binary;
using System.Collections.Immutable;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>
/// Frames ↔ octets. All numbers are in the network's order.
/// </summary>
/// <remarks>
/// <code>
/// frame:    length (16, of what follows)  type (8)  body
/// hello:    "bgpf"  version (8)
/// held:     { address }
/// flows:    { key  tcp state (8)  1: answered, 2: assured (8)  seconds left (32)  mark (32) }
/// gone:     { key }
/// key:      family (8: 4 or 6)  protocol (8)  source  port (16)  destination  port (16)  leaving  port (16)
/// address:  family (8: 4 or 6)  4 or 16 octets
/// </code>
/// </remarks>
internal static class FlowFrames
{
    public const byte Version = 1;

    /// <summary>How many flows, or ends of flows, a frame has at most.</summary>
    public const int MostFlows = 256;

    /// <summary>Of a frame's body and its type; 256 flows of IPv6 have less.</summary>
    public const int Longest = 1 << 15;

    private const int LengthOctets = 2, MostAddresses = 256;

    /// <summary>The kernel's own longest are five days; more is nobody's.</summary>
    private const uint MostLeft = 30 * 24 * 3600;

    private const byte LastTcpState = 9, Answered = 1, Assured = 2;

    private enum Kind : byte { Hello = 1, Held, Begin, Whole, Flows, Gone, Alive }

    private static ReadOnlySpan<byte> Magic => "bgpf"u8;

    public static void Write(FlowFrame frame, List<byte> into)
    {
        var start = into.Count;
        into.AddRange([0, 0]);
        switch (frame)
        {
            case FlowFrame.Hello(var version):
                into.Add((byte)Kind.Hello);
                into.AddRange(Magic);
                into.Add(version);
                break;
            case FlowFrame.Held(var addresses):
                into.Add((byte)Kind.Held);
                foreach (var address in addresses)
                {
                    into.Add(Number(address.Family));
                    Put(address, into);
                }
                break;
            case FlowFrame.Begin: into.Add((byte)Kind.Begin); break;
            case FlowFrame.Whole: into.Add((byte)Kind.Whole); break;
            case FlowFrame.Flows(var flows):
                into.Add((byte)Kind.Flows);
                foreach (var flow in flows)
                {
                    Put(flow.Key, into);
                    into.Add(flow.Tcp);
                    into.Add((byte)((flow.IsAnswered ? Answered : 0) | (flow.IsAssured ? Assured : 0)));
                    Put(flow.Left, into);
                    Put(flow.Mark, into);
                }
                break;
            case FlowFrame.Gone(var keys):
                into.Add((byte)Kind.Gone);
                foreach (var key in keys) Put(key, into);
                break;
            case FlowFrame.Alive: into.Add((byte)Kind.Alive); break;
        }
        var length = into.Count - start - LengthOctets;
        (into[start], into[start + 1]) = ((byte)(length >> 8), (byte)length);
    }

    private static byte Number(IpFamily family) => (byte)(family == IpFamily.IPv4 ? 4 : 6);

    private static void Put(FlowKey key, List<byte> into)
    {
        into.Add(Number(key.Family));
        into.Add(key.Protocol);
        Put(key.Source, into);
        Put(key.SourcePort, into);
        Put(key.Destination, into);
        Put(key.DestinationPort, into);
        Put(key.Leaving, into);
        Put(key.LeavingPort, into);
    }

    private static void Put(Address address, List<byte> into)
    {
        Span<byte> octets = stackalloc byte[16];
        into.AddRange((ReadOnlySpan<byte>)octets[..address.Write(octets)]);
    }

    private static void Put(ushort number, List<byte> into) => into.AddRange([(byte)(number >> 8), (byte)number]);

    private static void Put(uint number, List<byte> into)
    {
        Put((ushort)(number >> 16), into);
        Put((ushort)number, into);
    }

    /// <summary>The next frame of what has come.</summary>
    /// <param name="length">How many octets it had; 0: it is not whole yet, or damaged.</param>
    /// <param name="damage">Why nothing more can be read; null: it can.</param>
    public static FlowFrame? Read(ReadOnlySpan<byte> octets, out int length, out string? damage)
    {
        (length, damage) = (0, null);
        if (!BinaryPrimitives.TryReadUInt16BigEndian(octets, out var size)) return null;
        if (size is 0 or > Longest)
        {
            damage = $"expected a frame of 1 to {Longest} octets, got {size}";
            return null;
        }
        if (octets.Length < LengthOctets + size) return null;
        var kind = (Kind)octets[LengthOctets];
        var reader = new Reader(octets[(LengthOctets + 1)..(LengthOctets + size)]);
        var frame = Read(kind, ref reader);
        if (frame == null || !reader.IsAtEnd)
        {
            damage = reader.Damage ?? $"expected a frame that is known and whole, got one of kind {(byte)kind} with {size} octets";
            return null;
        }
        length = LengthOctets + size;
        return frame;
    }

    private static FlowFrame? Read(Kind kind, ref Reader body) => kind switch
    {
        Kind.Hello when body.Octets(Magic.Length).SequenceEqual(Magic) => new FlowFrame.Hello(body.U8()),
        Kind.Held => Held(ref body),
        Kind.Begin => FlowFrame.Begin.It,
        Kind.Whole => FlowFrame.Whole.It,
        Kind.Flows => Flows(ref body),
        Kind.Gone => Gone(ref body),
        Kind.Alive => FlowFrame.Alive.It,
        _ => null,
    };

    private static FlowFrame.Held Held(ref Reader body)
    {
        var all = ImmutableArray.CreateBuilder<Address>();
        while (body.HasMore && all.Count < MostAddresses) all.Add(body.Address(body.Family()));
        return new([.. all]);
    }

    private static FlowFrame.Flows Flows(ref Reader body)
    {
        var all = ImmutableArray.CreateBuilder<Flow>();
        while (body.HasMore && all.Count < MostFlows)
        {
            var key = Key(ref body);
            var (tcp, flags, left, mark) = (body.U8(), body.U8(), body.U32(), body.U32());
            if (tcp > LastTcpState || tcp == 0 == ((IpProtocol)key.Protocol == IpProtocol.Tcp))
                body.Damaged($"expected a state that protocol {key.Protocol} has, got {tcp}");
            if ((flags & ~(Answered | Assured)) != 0) body.Damaged($"expected flags of which 1 and 2 are known, got {flags}");
            if (left > MostLeft) body.Damaged($"expected {MostLeft} seconds at most, got {left}");
            all.Add(new(key, tcp, (flags & Answered) != 0, (flags & Assured) != 0, left, mark));
        }
        return new(all.DrainToImmutable());
    }

    private static FlowFrame.Gone Gone(ref Reader body)
    {
        var all = ImmutableArray.CreateBuilder<FlowKey>();
        while (body.HasMore && all.Count < MostFlows) all.Add(Key(ref body));
        return new(all.DrainToImmutable());
    }

    private static FlowKey Key(ref Reader body)
    {
        var (family, protocol) = (body.Family(), body.U8());
        var key = new FlowKey(
            protocol, body.Address(family), body.U16(), body.Address(family), body.U16(), body.Address(family), body.U16());
        var isKnown = (IpProtocol)protocol switch
        {
            IpProtocol.Tcp or IpProtocol.Udp => true,
            IpProtocol.Icmp => family == IpFamily.IPv4 && key.DestinationPort == 0,
            IpProtocol.Icmp6 => family == IpFamily.IPv6 && key.DestinationPort == 0,
            _ => false,
        };
        if (!isKnown) body.Damaged($"expected a flow of TCP, UDP or echoes, got one of protocol {protocol}");
        return key;
    }

    /// <summary>Past the end it yields zero, and remembers.</summary>
    private ref struct Reader(ReadOnlySpan<byte> octets)
    {
        private ReadOnlySpan<byte> left = octets;
        private bool isOverrun;

        public string? Damage { get; private set; }

        public readonly bool HasMore => !left.IsEmpty && Damage == null && !isOverrun;

        public readonly bool IsAtEnd => left.IsEmpty && Damage == null && !isOverrun;

        /// <summary>The first counts.</summary>
        public void Damaged(string why) => Damage ??= isOverrun ? null : why;

        public ReadOnlySpan<byte> Octets(int count)
        {
            if (count > left.Length)
            {
                isOverrun = true;
                left = default;
                return new byte[count];
            }
            var taken = left[..count];
            left = left[count..];
            return taken;
        }

        public byte U8() => Octets(1)[0];

        public ushort U16() => BinaryPrimitives.ReadUInt16BigEndian(Octets(sizeof(ushort)));

        public uint U32() => BinaryPrimitives.ReadUInt32BigEndian(Octets(sizeof(uint)));

        public IpFamily Family()
        {
            var number = U8();
            if (number is not (4 or 6)) Damaged($"expected family 4 or 6, got {number}");
            return number == 6 ? IpFamily.IPv6 : IpFamily.IPv4;
        }

        public Address Address(IpFamily family) => Net.Address.FromOctets(Octets(family.Octets()));
    }
}
