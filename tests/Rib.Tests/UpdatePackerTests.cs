using Calico.Bgp.Net;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Rib.Tests;

public sealed class UpdatePackerTests : IDisposable
{
    private static readonly Prefix One = Prefix.Parse("192.0.2.0/24"), Two = Prefix.Parse("198.51.100.0/24");
    private readonly RibRig rig = new();

    public void Dispose() => rig.Dispose();

    private static List<int> LengthsOf(OutBuffer buffer)
    {
        var lengths = new List<int>();
        for (var rest = buffer.Written; rest.Length > 0; rest = rest[lengths[^1]..]) lengths.Add(rest[16] << 8 | rest[17]);
        return lengths;
    }

    private byte[] Attributes(uint med) => rig.Attributes(editor => { editor.Prepend(new(64501)); editor.SetMed(med); });

    /// <summary>Conformance A08.</summary>
    [Fact]
    public void Two_thousand_prefixes_with_the_same_attributes_take_at_most_four_messages()
    {
        var table = PrefixTable.Of(IpFamily.IPv4);
        var packer = new UpdatePacker(IpFamily.IPv4, table, new(true, 4096, false, FamilySet.None));
        packer.Begin();
        var run = packer.AddRun(1, 7, accepted: true, Attributes(1), shared: true);
        for (var i = 0; i < 2000; i++) packer.Announce(run, table.FindOrAdd(24, [11, (byte)(i >> 8), (byte)i]));
        var buffer = new OutBuffer();
        packer.Write(buffer, _ => false, _ => Assert.Fail("too long"));
        var lengths = LengthsOf(buffer);
        Assert.InRange(lengths.Count, 1, 4);
        Assert.All(lengths, length => Assert.InRange(length, 23, 4096));
    }

    /// <summary>A /24 takes four octets, one less than the longest prefix.</summary>
    [Fact]
    public void An_update_of_exactly_4096_octets_is_sent_and_one_octet_more_is_withheld()
    {
        var table = PrefixTable.Of(IpFamily.IPv4);
        var packer = new UpdatePacker(IpFamily.IPv4, table, new(true, 4096, false, FamilySet.None));
        packer.Begin();
        // 4,069 octets of attributes: 19 of header and 4 of lengths leave 4 for prefixes.
        var plain = Attributes(1);
        byte[] unknown = [0xd0, 200, .. BigEndian(4069 - plain.Length - 4), .. new byte[4069 - plain.Length - 4]];
        var run = packer.AddRun(1, 7, accepted: true, [.. plain, .. unknown], shared: true);
        var (fits, tooLong) = (table.FindOrAdd(24, [11, 0, 0]), table.FindOrAdd(32, [11, 0, 0, 1]));
        packer.Announce(run, fits);
        packer.Announce(run, tooLong);
        var (buffer, withheld) = (new OutBuffer(), new List<uint>());
        packer.Write(buffer, _ => false, withheld.Add);
        Assert.Equal([4096, 28], LengthsOf(buffer));
        Assert.Equal([tooLong], withheld);
        Assert.Equal(
            (true, false), (packer.Fits(Prefix.Parse("11.0.0.0/24"), packer.LeavingOctets(run)),
                packer.Fits(Prefix.Parse("11.0.0.1/32"), packer.LeavingOctets(run))));

        static byte[] BigEndian(int value) => [(byte)(value >> 8), (byte)value];
    }

    [Fact]
    public void Prefixes_that_come_in_turns_share_their_messages_all_the_same()
    {
        var table = PrefixTable.Of(IpFamily.IPv4);
        var packer = new UpdatePacker(IpFamily.IPv4, table, new(true, 4096, false, FamilySet.None));
        packer.Begin();
        for (var i = 0; i < 200; i++)
        {
            var attributes = 1 + (uint)(i % 2);
            if (!packer.TryFindRun(attributes, 7, out var run)) run = packer.AddRun(
                attributes, 7, accepted: true, Attributes(attributes), shared: true);
            packer.Announce(run, table.FindOrAdd(24, [11, 0, (byte)i]));
        }
        var buffer = new OutBuffer();
        packer.Write(buffer, _ => false, _ => Assert.Fail("too long"));
        Assert.Equal(2, LengthsOf(buffer).Count);
    }

    [Fact]
    public void What_came_from_a_receiver_is_not_for_it()
    {
        var table = PrefixTable.Of(IpFamily.IPv4);
        var packer = new UpdatePacker(IpFamily.IPv4, table, new(true, 4096, false, FamilySet.None));
        packer.Begin();
        packer.Announce(packer.AddRun(1, 7, accepted: true, Attributes(1), shared: true), table.FindOrAdd(24, [11, 0, 0]));
        var buffer = new OutBuffer();
        packer.Write(buffer, source => source == 7, _ => Assert.Fail("too long"));
        Assert.Equal([new OutBuffer.Exception(0, buffer.Length, 7, false)], buffer.Exceptions);
    }

    /// <summary>Conformance A15, RFC 4271 section 9.2.1.1.</summary>
    [Fact]
    public async Task With_an_advertisement_interval_announcements_wait_and_withdrawals_do_not()
    {
        rig.Up(RibRig.Peer(1));
        var waiting = rig.Up(RibRig.Peer(2) with { MinRouteAdvertisementInterval = TimeSpan.FromHours(1) });
        await rig.Rib.IdleAsync();
        await rig.AnnounceAsync(1, Attributes(1), One);
        await rig.Rib.IdleAsync();
        await rig.AnnounceAsync(1, Attributes(1), Two);
        await rig.Rib.IdleAsync();
        Assert.Equal([One], waiting.Holds.Keys);
        await rig.WithdrawAsync(1, One);
        await rig.Rib.IdleAsync();
        Assert.Empty(waiting.Holds);
        Assert.Empty(waiting.Complaints);
    }

    /// <summary>RFC 4271 section 9.2.1.1: the interval is between advertisements, not between parts of one.</summary>
    [Fact]
    public async Task What_has_waited_for_the_interval_goes_all_at_once_however_many_slices_that_takes()
    {
        using var small = new RibRig(slice: 16);
        small.Up(RibRig.Peer(1));
        var waiting = small.Up(RibRig.Peer(2) with { MinRouteAdvertisementInterval = TimeSpan.FromHours(1) });
        await small.Rib.IdleAsync();
        // All in one batch of the inlet's: a second one may come when the first has begun the interval.
        var many = Enumerable.Range(0, 200).Select(i => Prefix.Parse($"198.51.{i}.0/24")).ToArray();
        await small.AnnounceAsync(1, Attributes(1), many);
        await small.Rib.IdleAsync();
        Assert.Equal(many.Length, waiting.Holds.Count);
        await small.AnnounceAsync(1, Attributes(1), One);
        await small.Rib.IdleAsync();
        Assert.Equal(many.Length, waiting.Holds.Count);
        Assert.Empty(waiting.Complaints);
    }
}
