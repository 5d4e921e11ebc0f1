using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class DnsStreamsTests
{
    private static readonly DnsFlow Flow = new("cali1", Address.Parse("10.0.0.1"), 40000, Address.Parse("10.0.0.53"), 53, IsTcp: true);
    private static readonly DnsStreamKey Key = new(Flow, IsAnswering: true);

    private static byte[] Framed(params byte[][] messages) =>
        [.. messages.SelectMany(message => (byte[])[.. Messages.U16(message.Length), .. message])];

    private static List<byte[]> Read(DnsStream stream)
    {
        var all = new List<byte[]>();
        while (stream.Next(out var message)) all.Add(message.ToArray());
        return all;
    }

    [Fact]
    public void A_message_is_there_with_the_segment_that_completes_it()
    {
        var streams = new DnsStreams();
        Assert.Empty(Read(streams.Segment(Key, 100, isSyn: true, [])));
        var octets = Framed([1, 2, 3], [4]);
        Assert.Empty(Read(streams.Segment(Key, 101, false, octets.AsSpan(0, 1))));
        Assert.Empty(Read(streams.Segment(Key, 102, false, octets.AsSpan(1, 3))));
        Assert.Equal([[1, 2, 3]], Read(streams.Segment(Key, 105, false, octets.AsSpan(4, 3))));
        Assert.Equal([[4]], Read(streams.Segment(Key, 108, false, octets.AsSpan(7))));
    }

    [Fact]
    public void What_comes_again_or_ahead_waits_in_its_place_and_the_first_octets_stay()
    {
        var streams = new DnsStreams();
        streams.Segment(Key, 0, isSyn: true, []);
        var octets = Framed([1, 2, 3, 4, 5, 6]);
        Assert.Empty(Read(streams.Segment(Key, 7, false, octets.AsSpan(6))));
        Assert.Empty(Read(streams.Segment(Key, 1, false, octets.AsSpan(0, 4))));
        // Others for octets 2 to 6 of the message: what is there stays, what is missing is taken.
        Assert.Equal([[1, 2, 93, 94, 5, 6]], Read(streams.Segment(Key, 3, false, [91, 92, 93, 94, 95])));
        Assert.Empty(Read(streams.Segment(Key, 1, false, octets)));
    }

    [Fact]
    public void Sequence_numbers_begin_again_behind_the_highest()
    {
        var streams = new DnsStreams();
        streams.Segment(Key, uint.MaxValue - 3, isSyn: true, []);
        var octets = Framed([1, 2, 3], [4, 5, 6]);
        Assert.Equal([[1, 2, 3]], Read(streams.Segment(Key, uint.MaxValue - 2, false, octets.AsSpan(0, 7))));
        Assert.Equal([[4, 5, 6]], Read(streams.Segment(Key, 4, false, octets.AsSpan(7))));
    }

    [Fact]
    public void The_longest_messages_follow_each_other_in_the_largest_segments()
    {
        var messages = Enumerable.Range(0, 3).Select(which => Enumerable.Repeat((byte)which, 65535).ToArray()).ToArray();
        var octets = Framed(messages);
        var (streams, read) = (new DnsStreams(), new List<byte[]>());
        for (var at = 0; at < octets.Length; at += 65500)
            read.AddRange(Read(streams.Segment(Key, (uint)at + 1, false, octets.AsSpan(at, Math.Min(65500, octets.Length - at)))));
        Assert.Equal(messages, read);
    }

    [Fact]
    public void A_gap_that_nothing_fills_is_given_up()
    {
        var streams = new DnsStreams();
        streams.Segment(Key, 0, isSyn: true, []);
        var octets = Framed([1, 2, 3]);
        Assert.Empty(Read(streams.Segment(Key, 1001, false, octets)));
        Assert.Equal([[1, 2, 3]], Read(streams.Segment(Key, 1_000_001, false, octets)));
    }

    [Fact]
    public void A_new_connection_of_the_same_ports_begins_anew()
    {
        var streams = new DnsStreams();
        streams.Segment(Key, 0, isSyn: true, []);
        streams.Segment(Key, 1, false, [0, 9, 1]);
        streams.Segment(Key, 5000, isSyn: true, []);
        Assert.Equal([[1, 2, 3]], Read(streams.Segment(Key, 5001, false, Framed([1, 2, 3]))));
    }

    [Fact]
    public void The_connection_that_was_silent_longest_goes_and_ends_are_forgotten()
    {
        var streams = new DnsStreams(most: 2);
        DnsStreamKey Of(ushort port) => new(Flow with { ClientPort = port }, IsAnswering: true);
        streams.Segment(Of(1), 0, false, [0, 3, 1]);
        streams.Segment(Of(2), 0, false, [0, 3, 2]);
        streams.Segment(Of(1), 3, false, [1]);
        streams.Segment(Of(3), 0, false, [0, 3, 3]);
        Assert.Equal((2, 1L), (streams.Count, streams.GivenUp));
        Assert.Equal([[1, 1, 1]], Read(streams.Segment(Of(1), 4, false, [1])));
        streams.End(Of(3).Flow);
        Assert.Equal(1, streams.Count);
        streams.Forget("cali1");
        Assert.Equal(0, streams.Count);
    }

    [Fact]
    public void Segments_in_any_order_and_often_give_every_message_once()
    {
        var cases = Gen.ListOf(Gen.Choose(0, 40), 6).SelectMany(lengths => Gen.Choose(0, int.MaxValue)
            .Select(seed => (Lengths: lengths.ToArray(), Seed: seed)));
        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var random = new Random(one.Seed);
            byte[] Octets(int length) => [.. Enumerable.Range(0, length).Select(_ => (byte)random.Next(256))];
            var messages = one.Lengths.Select(Octets).ToArray();
            var octets = Framed(messages);
            var cuts = Enumerable.Range(0, 8).Select(_ => random.Next(octets.Length + 1)).Append(0).Append(octets.Length).Distinct().Order()
                .ToArray();
            var segments = cuts.Zip(cuts.Skip(1)).ToList();
            // Again, longer, and in any order.
            for (var extra = 0; extra < 4; extra++)
            {
                var from = random.Next(octets.Length);
                segments.Add((from, from + random.Next(octets.Length - from + 1)));
            }
            var start = (uint)random.Next(int.MinValue, int.MaxValue);
            var (streams, read) = (new DnsStreams(), new List<byte[]>());
            streams.Segment(Key, start - 1, isSyn: true, []);
            foreach (var (from, to) in segments.OrderBy(_ => random.Next()).ToArray())
                read.AddRange(Read(streams.Segment(Key, start + (uint)from, false, octets.AsSpan(from, to - from))));
            return read.Select(Convert.ToHexString).SequenceEqual(messages.Select(Convert.ToHexString));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }
}
