using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Egress.Replication;

public class FlowFramesTests
{
    private static readonly Flow Tcp = new(
        new(6, Address.Parse("192.168.1.2"), 40112, Address.Parse("198.51.100.1"), 443, Address.Parse("10.10.10.0"), 40113),
        3, true, true, 432000, 0x17);

    private static readonly Flow Echo = new(
        new(58, Address.Parse("fd01::1:2"), 7, Address.Parse("2001:db8::1"), 0, Address.Parse("fd10::"), 8), 0, true, false, 30, 0);

    private const string Key4 = "04 06 c0a80102 9cb0 c6336401 01bb 0a0a0a00 9cb1", State4 = "03 03 00069780 00000017";

    public static TheoryData<string, string> Octets => new()
    {
        { nameof(FlowFrame.Hello), "0006 01 62677066 01" },
        { nameof(FlowFrame.Held), "0017 02 04 0a0a0a00 06 fd100000000000000000000000000000" },
        { nameof(FlowFrame.Begin), "0001 03" },
        { nameof(FlowFrame.Whole), "0001 04" },
        { nameof(FlowFrame.Flows), $"0061 05 {Key4} {State4} 06 3a fd010000000000000000000000010002 0007"
            + " 20010db8000000000000000000000001 0000 fd100000000000000000000000000000 0008 00 01 0000001e 00000000" },
        { nameof(FlowFrame.Gone), $"0015 06 {Key4}" },
        { nameof(FlowFrame.Alive), "0001 07" },
    };

    private static FlowFrame Frame(string name) => name switch
    {
        nameof(FlowFrame.Hello) => new FlowFrame.Hello(1),
        nameof(FlowFrame.Held) => new FlowFrame.Held([Address.Parse("10.10.10.0"), Address.Parse("fd10::")]),
        nameof(FlowFrame.Begin) => FlowFrame.Begin.It,
        nameof(FlowFrame.Whole) => FlowFrame.Whole.It,
        nameof(FlowFrame.Flows) => new FlowFrame.Flows([Tcp, Echo]),
        nameof(FlowFrame.Gone) => new FlowFrame.Gone([Tcp.Key]),
        _ => FlowFrame.Alive.It,
    };

    private static byte[] Hex(string octets) => Convert.FromHexString(octets.Replace(" ", "", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Octets))]
    public void A_frame_is_written_as_its_octets_and_read_from_them(string name, string octets)
    {
        var written = new List<byte>();
        FlowFrames.Write(Frame(name), written);
        Assert.Equal(Convert.ToHexString(Hex(octets)), Convert.ToHexString([.. written]));
        var again = new List<byte>();
        FlowFrames.Write(FlowFrames.Read(Hex(octets + "0001 07"), out var length, out var damage)!, again);
        Assert.Equal((written.Count, null), (length, damage));
        Assert.Equal(written, again);
    }

    [Theory]
    [MemberData(nameof(Octets))]
    public void What_is_not_whole_yet_is_waited_for(string name, string octets)
    {
        Assert.NotEmpty(name);
        var all = Hex(octets);
        for (var length = 0; length < all.Length; length++)
        {
            Assert.Null(FlowFrames.Read(all.AsSpan(0, length), out var read, out var damage));
            Assert.Equal((0, null), (read, damage));
        }
    }

    [Theory]
    [InlineData("0000", "expected a frame of 1 to 32768 octets, got 0")]
    [InlineData("8001 05", "expected a frame of 1 to 32768 octets, got 32769")]
    [InlineData("0001 08", "expected a frame that is known and whole, got one of kind 8 with 1 octets")]
    [InlineData("0002 03 00", "expected a frame that is known and whole, got one of kind 3 with 2 octets")]
    [InlineData("0006 01 62677067 01", "expected a frame that is known and whole, got one of kind 1 with 6 octets")]
    [InlineData("0005 02 04 0a0a0a", "expected a frame that is known and whole, got one of kind 2 with 5 octets")]
    [InlineData("0006 02 05 0a0a0a00", "expected family 4 or 6, got 5")]
    [InlineData("0014 06 04 06 c0a80102 9cb0 c6336401 01bb 0a0a0a00 9c",
        "expected a frame that is known and whole, got one of kind 6 with 20 octets")]
    [InlineData("0015 06 04 84 c0a80102 9cb0 c6336401 01bb 0a0a0a00 9cb1",
        "expected a flow of TCP, UDP or echoes, got one of protocol 132")]
    [InlineData("0015 06 04 3a c0a80102 9cb0 c6336401 0000 0a0a0a00 9cb1", "expected a flow of TCP, UDP or echoes, got one of protocol 58")]
    [InlineData($"001f 05 {Key4} 0a 03 00069780 00000017", "expected a state that protocol 6 has, got 10")]
    [InlineData($"001f 05 {Key4} 00 03 00069780 00000017", "expected a state that protocol 6 has, got 0")]
    [InlineData($"001f 05 {Key4} 03 04 00069780 00000017", "expected flags of which 1 and 2 are known, got 4")]
    [InlineData($"001f 05 {Key4} 03 03 ffffffff 00000017", "expected 2592000 seconds at most, got 4294967295")]
    public void Damage_is_told_by_what_was_expected(string octets, string words)
    {
        Assert.Null(FlowFrames.Read(Hex(octets), out var length, out var damage));
        Assert.Equal((0, words), (length, damage));
    }

    [Fact]
    public void The_longest_frame_of_flows_is_read_and_one_more_flow_is_damage()
    {
        foreach (var (count, isGood) in ((int, bool)[])[(FlowFrames.MostFlows, true), (FlowFrames.MostFlows + 1, false)])
        {
            var written = new List<byte>();
            FlowFrames.Write(new FlowFrame.Flows([.. Enumerable.Repeat(Echo, count)]), written);
            Assert.Equal(isGood, FlowFrames.Read([.. written], out _, out var damage) != null);
            Assert.Equal(isGood, damage == null);
        }
    }
}
