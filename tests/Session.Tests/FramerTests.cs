using System.Buffers;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Session.Tests;

public class FramerTests
{
    private static readonly byte[] Keepalive = Convert.FromHexString("ffffffffffffffffffffffffffffffff001304");
    private static readonly byte[] EndOfRib = Convert.FromHexString("ffffffffffffffffffffffffffffffff00170200000000");

    [Fact]
    public void Messages_in_one_segment_come_out_one_by_one()
    {
        var unread = new ReadOnlySequence<byte>([.. Keepalive, .. EndOfRib]);
        Assert.Equal([MessageType.Keepalive, MessageType.Update], All(new Framer(), ref unread));
    }

    [Fact]
    public void A_message_in_segments_of_one_octet_is_made_whole()
    {
        var unread = Segments(EndOfRib, 1);
        Assert.Equal(Cut.Message, new Framer().Next(ref unread, out _, out var body));
        Assert.Equal(EndOfRib[19..], body.ToArray());
    }

    [Fact]
    public void Wherever_the_boundary_lies_the_message_is_the_same()
    {
        for (var size = 1; size <= EndOfRib.Length; size++)
        {
            var unread = Segments([.. EndOfRib, .. Keepalive, .. EndOfRib], size);
            Assert.Equal([MessageType.Update, MessageType.Keepalive, MessageType.Update], All(new Framer(), ref unread));
        }
    }

    [Fact]
    public void What_is_not_whole_stays_unread()
    {
        for (var length = 0; length < EndOfRib.Length; length++)
        {
            var unread = new ReadOnlySequence<byte>(EndOfRib.AsMemory(0, length));
            Assert.Equal(Cut.TooShort, new Framer().Next(ref unread, out _, out _));
            Assert.Equal(length, unread.Length);
        }
    }

    [Theory]
    [InlineData("fffffffffffffffffffffffffffffffe001304", 1)]     // marker
    [InlineData("ffffffffffffffffffffffffffffffff001204", 2)]     // length 18
    [InlineData("ffffffffffffffffffffffffffffffffffff02", 2)]     // 65,535 without RFC 8654
    [InlineData("ffffffffffffffffffffffffffffffff0013ff", 3)]     // type 255
    public void A_bad_header_is_judged_before_its_message_has_come(string header, byte subcode)
    {
        var framer = new Framer();
        var unread = new ReadOnlySequence<byte>(Convert.FromHexString(header));
        Assert.Equal(Cut.Damaged, framer.Next(ref unread, out _, out _));
        Assert.Equal((ErrorCode.MessageHeader, subcode), (framer.Damage!.Code, framer.Damage.Subcode));
    }

    [Fact]
    public void A_claimed_length_allocates_nothing()
    {
        var framer = new Framer { ExtendedMessages = true };
        var claim = Segments(Convert.FromHexString("ffffffffffffffffffffffffffffffffffff0200"), 7);
        framer.Next(ref claim, out _, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) framer.Next(ref claim, out _, out _);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static List<MessageType> All(Framer framer, ref ReadOnlySequence<byte> unread)
    {
        var types = new List<MessageType>();
        while (framer.Next(ref unread, out var type, out _) == Cut.Message) types.Add(type);
        return types;
    }

    private static ReadOnlySequence<byte> Segments(byte[] octets, int size)
    {
        var first = new Segment(octets.AsMemory(0, Math.Min(size, octets.Length)), null);
        var last = first;
        for (var at = size; at < octets.Length; at += size) last = new(octets.AsMemory(at, Math.Min(size, octets.Length - at)), last);
        return new(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before == null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
