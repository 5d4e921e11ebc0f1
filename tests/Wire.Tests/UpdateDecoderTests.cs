using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;
using static Calico.Bgp.Wire.Tests.Hex;

namespace Calico.Bgp.Wire.Tests;

/// <summary>What becomes of an UPDATE, octets in the open. The route is 198.18.1.0/24 unless a test says otherwise.</summary>
public class UpdateDecoderTests
{
    private const string Origin = "40 01 01 00", Path = "40 02 06 02 01 0000fdea", NextHop = "40 03 04 0a630002", Route = "18 c61201";
    private const string Mandatory = Origin + Path + NextHop;
    private const string Reach = "80 0e 1c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001";

    private static DecodedUpdate Decode(Negotiated session, string withdrawn, string attributes, string nlri) =>
        new UpdateDecoder(session).Decode(Samples.Body(Octets(withdrawn), Octets(attributes), Octets(nlri)));

    private static string Outcome(string attributes, Negotiated? session = null, string nlri = Route)
    {
        var update = Decode(session ?? Sessions.External, "", attributes, nlri);
        if (update.Reset is { } reset) return $"{(byte)reset.Code}/{reset.Subcode}:{Convert.ToHexStringLower(reset.Data.Span)}";
        if (!update.Damaged.Octets.IsEmpty) return "withdrawn";
        return update.Damage.Penalty == Penalty.AttributeDiscard ? "discarded" : update.Announced.Nlri.Octets.IsEmpty ? "nothing" : "route";
    }

    private static string Canonical(string attributes, Negotiated? session = null) =>
        Text(Decode(session ?? Sessions.External, "", attributes, Route).Announced.Attributes);

    private static string Same(string hex) => Text(Octets(hex));

    [Theory]
    [InlineData("40 01 01 03", "withdrawn")]                 // value 3 is no origin
    [InlineData("c0 01 01 00", "withdrawn")]                 // well-known must not be optional
    [InlineData("40 01 02 0000", "withdrawn")]
    [InlineData("40 01 00", "withdrawn")]
    public void Rfc7606_7_1_for_ORIGIN(string origin, string outcome) => Assert.Equal(outcome, Outcome(origin + Path + NextHop));

    [Theory]
    [InlineData("40 02 06 02 01 0000fdea", "route")]
    [InlineData("40 02 0c 02 01 0000fdea 01 01 0000fdeb", "route")]
    [InlineData("40 02 00", "withdrawn")]                    // empty, from outside
    [InlineData("40 02 06 02 01 0000fdeb", "withdrawn")]     // the first AS is not the peer's
    [InlineData("40 02 0a 02 02 0000fdea 00000000", "withdrawn")]   // RFC 7607
    [InlineData("40 02 06 03 01 0000fdea", "withdrawn")]     // RFC 5065 section 5
    [InlineData("40 02 06 00 01 0000fdea", "withdrawn")]
    [InlineData("40 02 06 05 01 0000fdea", "withdrawn")]
    [InlineData("40 02 02 02 00", "withdrawn")]
    [InlineData("40 02 06 02 02 0000fdea", "withdrawn")]
    [InlineData("40 02 07 02 01 0000fdea 02", "withdrawn")]
    public void Rfc7606_7_2_for_AS_PATH(string path, string outcome) => Assert.Equal(outcome, Outcome(Origin + path + NextHop));

    [Fact]
    public void A_route_server_does_not_put_its_AS_first() =>
        Assert.Equal("route", Outcome(Origin + "40 02 06 02 01 0000fdeb" + NextHop, Sessions.External with { EnforceFirstAs = false }));

    [Fact]
    public void An_internal_path_may_be_empty() => Assert.Equal("route", Outcome(Origin + "40 02 00" + NextHop, Sessions.Internal));

    [Theory]
    [InlineData("0a630002", "route")]
    [InlineData("00000000", "withdrawn")]
    [InlineData("7f000001", "withdrawn")]
    [InlineData("e0000001", "withdrawn")]
    [InlineData("f0000001", "withdrawn")]
    [InlineData("ffffffff", "withdrawn")]
    [InlineData("0a6300", "withdrawn")]
    [InlineData("0a63000200", "withdrawn")]
    [InlineData("", "withdrawn")]
    public void Rfc7606_7_3_for_NEXT_HOP(string value, string outcome) =>
        Assert.Equal(outcome, Outcome(Origin + Path + $"40 03 {Octets(value).Length:x2} {value}"));

    [Theory]
    [InlineData("80 04 03 000000", "withdrawn", "withdrawn")]
    [InlineData("c0 04 04 0000000a", "withdrawn", "withdrawn")]
    [InlineData("40 05 04 00000064", "discarded", "route")]
    [InlineData("40 05 03 000064", "discarded", "withdrawn")]
    [InlineData("c0 05 04 00000064", "withdrawn", "withdrawn")]
    [InlineData("40 06 01 00", "discarded", "discarded")]
    [InlineData("c0 07 06 fdea 0a630002", "discarded", "discarded")]
    [InlineData("c0 07 08 00000000 0a000002", "discarded", "discarded")]
    [InlineData("c0 08 05 fdea0001fd", "withdrawn", "withdrawn")]
    [InlineData("c0 08 00", "withdrawn", "withdrawn")]
    [InlineData("80 09 03 0a0000", "discarded", "withdrawn")]
    [InlineData("c0 09 04 0a000002", "withdrawn", "withdrawn")]
    [InlineData("80 0a 00", "discarded", "withdrawn")]
    [InlineData("80 0a 05 0a00000200", "discarded", "withdrawn")]
    [InlineData("c0 10 07 00000000000000", "withdrawn", "withdrawn")]
    [InlineData("c0 11 06 02 01 0000fdea", "discarded", "discarded")]   // RFC 6793 4.1
    [InlineData("c0 11 06 00 01 00000001", "withdrawn", "withdrawn")]
    [InlineData("c0 12 08 0000fdea 0a000002", "discarded", "discarded")]
    [InlineData("c0 16 01 00", "withdrawn", "withdrawn")]               // RFC 6514 section 5
    [InlineData("c0 16 09 00 06 000000 0a000002", "route", "route")]
    [InlineData("c0 16 09 00 ff 000000 0a000002", "withdrawn", "withdrawn")]
    [InlineData("c0 16 08 00 06 000000 0a0000", "withdrawn", "withdrawn")]
    [InlineData("c0 17 04 0007 0000", "route", "route")]
    [InlineData("c0 17 05 0007 0004 01", "withdrawn", "withdrawn")]     // RFC 9012 section 13
    [InlineData("c0 17 08 0007 0004 01 ff 00 00", "withdrawn", "withdrawn")]
    [InlineData("c0 17 00", "withdrawn", "withdrawn")]
    [InlineData("c0 19 13 00000000000000000000000000000000000000", "withdrawn", "withdrawn")]
    [InlineData("c0 19 00", "withdrawn", "withdrawn")]
    [InlineData("80 1a 0b 01 000b 000000000000000a", "route", "route")] // external: not an AIGP session
    [InlineData("80 1a 0d 01 000b 000000000000000a 0200", "route", "discarded")]
    [InlineData("80 1a 00", "route", "discarded")]
    [InlineData("c0 1a 0b 01 000b 000000000000000a", "discarded", "discarded")]
    [InlineData("80 1d 02 0400", "route", "route")]
    [InlineData("c0 1d 02 0400", "discarded", "discarded")]
    [InlineData("c0 20 0b 0000000000000000000000", "withdrawn", "withdrawn")]
    [InlineData("c0 23 03 0000fd", "withdrawn", "withdrawn")]
    [InlineData("c0 23 04 00000000", "withdrawn", "withdrawn")]
    [InlineData("c0 28 0a 01 0007 00 0000 00000001", "route", "route")]
    [InlineData("c0 28 03 01 0000", "discarded", "discarded")]          // RFC 8669 section 6
    [InlineData("80 28 0a 01 0007 00 0000 00000001", "discarded", "discarded")]
    [InlineData("c0 80 07 0000fdea 400101", "withdrawn", "withdrawn")]  // RFC 7606 section 7.16
    [InlineData("c0 80 08 0000fdea 40010100", "route", "route")]
    public void An_attribute_costs_what_its_rfc_says(string attribute, string external, string @internal)
    {
        Assert.Equal(external, Outcome(Mandatory + attribute));
        Assert.Equal(@internal, Outcome(Mandatory + attribute, Sessions.Internal));
    }

    [Theory]
    [InlineData(Path + NextHop)]
    [InlineData(Origin + NextHop)]
    [InlineData(Origin + Path)]
    [InlineData("")]
    public void Rfc7606_3_d_routes_without_a_mandatory_attribute_are_withdrawn(string attributes) =>
        Assert.Equal("withdrawn", Outcome(attributes));

    [Theory]
    [InlineData(Mandatory + "80 04 04 00")]
    [InlineData(Mandatory + "80 04")]
    [InlineData(Mandatory + "90 04 00")]
    [InlineData(Mandatory + "80")]
    public void Rfc7606_4_an_attribute_that_overruns_its_block_withdraws(string attributes) =>
        Assert.Equal("withdrawn", Outcome(attributes));

    [Theory]
    [InlineData(Mandatory + "80 0e 40 0002 01", "3/1:800e40000201")]    // its prefixes are lost
    [InlineData(Mandatory + Reach + Reach, "3/1:800e1c0002011020010db8000000000000000000000001003020010db80001")]
    [InlineData(Mandatory + "40 63 01 78", "3/2:40630178")]
    [InlineData(Mandatory + "80 0e 00", "3/9:800e00")]
    [InlineData(Mandatory + "80 0f 02 0002", "3/9:800f020002")]
    [InlineData(Mandatory + "80 0f 08 0002 01 40 20010db8", "3/9:800f0800020140" + "20010db8")]
    [InlineData(Mandatory + "80 0e 0a 0002 01 04 0a630002 00 00", "3/9:800e0a000201040a6300020000")]
    public void Only_lost_prefixes_and_unknown_well_known_attributes_end_the_session(string attributes, string reset) =>
        Assert.Equal(reset, Outcome(attributes));

    [Theory]
    [InlineData("40 01 01 03", "3/6:40010103")]
    [InlineData("40 01 02 0000", "3/5:4001020000")]
    [InlineData("c0 01 01 00", "3/4:c0010100")]
    [InlineData("40 02 02 02 00", "3/11:40020202" + "00")]
    [InlineData("80 04", "3/1:8004")]
    [InlineData(Origin, "nothing")]
    [InlineData("40 06 01 00", "discarded")]
    public void Rfc7606_5_2_damaged_attributes_without_a_route_end_the_session(string attributes, string outcome) =>
        Assert.Equal(outcome, Outcome(attributes, nlri: ""));

    [Fact]
    public void NEXT_HOP_is_ignored_where_no_IPv4_route_needs_it()
    {
        var update = Decode(Sessions.External, "", Reach + Origin + Path + "40 03 03 0a6300", "");
        Assert.Equal(Penalty.None, update.Damage.Penalty);
        Assert.Equal(Same(Origin + Path + "40 03 10 20010db8000000000000000000000001"), Text(update.MpAnnounced.Attributes));
        Assert.Equal(Address.Parse("2001:db8::1"), update.MpAnnounced.Summary.NextHop);
    }

    [Fact]
    public void Routes_of_both_families_in_one_message_have_their_own_next_hops()
    {
        var update = Decode(Sessions.External, "", Reach + Mandatory, Route);
        Assert.Equal(Same(Mandatory), Text(update.Announced.Attributes));
        Assert.Equal(Same(Origin + Path + "40 03 10 20010db8000000000000000000000001"), Text(update.MpAnnounced.Attributes));
        Assert.Equal((4, 16), (update.Announced.Summary.NextHopLength, update.MpAnnounced.Summary.NextHopLength));
    }

    [Fact]
    public void Damage_withdraws_the_routes_of_both_families_and_lets_withdrawals_be()
    {
        var update = Decode(Sessions.External, "18 c61202", Reach + "40 01 01 07" + Path + NextHop, Route);
        Assert.Equal(("18 c6 12 01", "30 20 01 0d b8 00 01", "18 c6 12 02"),
            (Text(update.Damaged.Octets), Text(update.MpDamaged.Octets), Text(update.Withdrawn.Octets)));
        Assert.True(update.Announced.Nlri.Octets.IsEmpty && update.MpAnnounced.Nlri.Octets.IsEmpty);
    }

    [Theory]
    [InlineData("00000000000000000000000000000000", true)]
    [InlineData("00000000000000000000000000000001", true)]
    [InlineData("ff020000000000000000000000000001", true)]
    [InlineData("fe800000000000000000000000000001", false)]
    [InlineData("20010db8000000000000000000000001", false)]
    public void An_IPv6_next_hop_is_a_unicast_address(string nextHop, bool damaged) =>
        Assert.Equal(damaged, Decode(Sessions.External, "", Origin + Path + "80 0e 1c 0002 01 10" + nextHop + "00 30 20010db80001",
            "").MpAnnounced.Nlri.Octets.IsEmpty);

    [Theory]
    [InlineData("20010db8000000000000000000000001 fe800000000000000000000000000001",
        "20010db8000000000000000000000001 fe800000000000000000000000000001")]
    [InlineData("20010db8000000000000000000000001 00000000000000000000000000000000", "20010db8000000000000000000000001")]
    [InlineData("00000000000000000000000000000000 fe800000000000000000000000000001", "fe800000000000000000000000000001")]
    [InlineData("fe800000000000000000000000000001 fe800000000000000000000000000001", "fe800000000000000000000000000001")]
    [InlineData("fe800000000000000000000000000001 00000000000000000000000000000000", "fe800000000000000000000000000001")]
    public void Of_two_IPv6_next_hops_the_useful_ones_stay(string sent, string kept)
    {
        var update = Decode(Sessions.External, "", Origin + Path + "80 0e 2c 0002 01 20" + sent + "00 30 20010db80001", "");
        Assert.True(new AttributeView(update.MpAnnounced.Attributes).TryGet(AttributeType.NextHop, out var value));
        Assert.Equal(Same(kept), Text(value));
    }

    [Theory]
    [InlineData(true, "route")]
    [InlineData(false, "3/9")]
    public void Rfc8950_gives_IPv4_an_IPv6_next_hop_where_it_was_negotiated(bool negotiated, string outcome)
    {
        var session = Sessions.External with { ExtendedNextHop = negotiated };
        var update = Decode(session, "", Origin + Path + "80 0e 19 0001 01 10 20010db8000000000000000000000001 00 18 c61201", "");
        var seen = update.Reset is { } reset ? $"{(byte)reset.Code}/{reset.Subcode}" : update.MpAnnounced.Nlri.Family == IpFamily.IPv4
            ? "route" : "";
        Assert.Equal(outcome, seen);
    }

    [Theory]
    [InlineData("21 c6120000 00", "")]
    [InlineData("", "18 c612")]
    [InlineData("18 c60000", "19 c61201")]
    [InlineData("", "ff 00")]
    public void Rfc7606_5_3_a_damaged_prefix_is_3_10(string withdrawn, string nlri)
    {
        var reset = Decode(Sessions.External, withdrawn, Mandatory, nlri).Reset!;
        Assert.Equal((ErrorCode.UpdateMessage, 10), (reset.Code, reset.Subcode));
    }

    [Theory]
    [InlineData("0064 0000")]
    [InlineData("0000 0001")]
    [InlineData("0000")]
    [InlineData("")]
    public void Lengths_that_leave_the_message_are_3_1(string body)
    {
        var reset = new UpdateDecoder(Sessions.External).Decode(Octets(body)).Reset!;
        Assert.Equal((ErrorCode.UpdateMessage, 1), (reset.Code, reset.Subcode));
    }

    [Theory]
    [InlineData("", "IPv4")]
    [InlineData("80 0f 03 0002 01", "IPv6")]
    [InlineData("80 0f 03 0001 01", "IPv4")]
    [InlineData("80 0f 03 0019 41", "")]
    [InlineData("80 0f 03 0002 01 40 01 01 00", "")]
    public void Rfc4724_end_of_rib_is_a_message_without_anything(string attributes, string family) =>
        Assert.Equal(family, Decode(Sessions.External, "", attributes, "").EndOfRib.ToString());

    [Fact]
    public void A_family_that_nobody_negotiated_is_passed_over()
    {
        var update = Decode(Sessions.External with { Families = FamilySet.IPv4 }, "", Mandatory + Reach, Route);
        Assert.Equal((Penalty.None, 4, 0), (update.Damage.Penalty, update.Announced.Nlri.Octets.Length,
            update.MpAnnounced.Nlri.Octets.Length));
    }

    [Fact]
    public void Path_identifiers_stand_before_prefixes_where_negotiated()
    {
        var session = Sessions.External with { AddPathReceive = FamilySet.IPv4 };
        Assert.Equal("route", Outcome(Mandatory, session, "00000007 18 c61201 00000008 18 c61201"));
        Assert.Equal("3/10:", Outcome(Mandatory, session, "18 c61201"));
    }

    [Theory]
    [InlineData(Mandatory, Mandatory)]
    [InlineData(NextHop + Path + Origin, Mandatory)]                                      // any order
    [InlineData("4e 01 01 00" + Path + NextHop, Mandatory)]                               // the low four bits say nothing
    [InlineData("50 01 0001 00" + Path + NextHop, Mandatory)]                             // a long form nobody needed
    [InlineData(Mandatory + "80 04 04 0000000a 80 04 04 0000000b", Mandatory + "80 04 04 0000000a")]
    [InlineData(Mandatory + "c0 63 01 78", Mandatory + "e0 63 01 78")]                    // unknown, transitive: kept, partial
    [InlineData(Mandatory + "e0 63 01 78", Mandatory + "e0 63 01 78")]
    [InlineData(Mandatory + "80 63 01 78", Mandatory)]                                    // unknown, not transitive: dropped
    [InlineData(Mandatory + "e0 08 04 fdea0001", Mandatory + "e0 08 04 fdea0001")]        // partial, once set, stays
    [InlineData(Mandatory + "c0 17 04 00070000", Mandatory + "c0 17 04 00070000")]        // known and unused: as it came
    [InlineData(Mandatory + "40 06 00", Mandatory + "40 06 00")]
    [InlineData(Mandatory + "c0 11 06 02 01 0000fdea", Mandatory)]
    public void What_is_kept_is_canonical(string received, string canonical) => Assert.Equal(Same(canonical), Canonical(received));

    [Theory]
    [InlineData("40 02 08 02 03 fdea 5ba0 fdec", "c0 11 0a 02 02 00011170 0000fdec", "02 03 0000fdea 00011170 0000fdec")]
    [InlineData("40 02 06 02 02 fdea 5ba0", "", "02 02 0000fdea 00005ba0")]
    [InlineData("40 02 04 02 01 fdea", "c0 11 0a 02 02 00011170 0000fdec",
        "02 01 0000fdea")]                   // AS4_PATH is longer: ignored
    [InlineData("40 02 06 02 02 fdea 5ba0", "c0 11 06 00 01 00011170", "02 02 0000fdea 00005ba0")]              // malformed: discarded
    [InlineData("40 02 06 02 02 fdea 5ba0", "c0 11 06 02 01 00000000", "02 02 0000fdea 00005ba0")]              // AS 0
    [InlineData("40 02 06 02 02 fdea 5ba0", "c0 11 0c 03 01 00000001 02 01 00011170",
        "02 02 0000fdea 00011170")] // confederation: passed over
    [InlineData("40 02 0a 02 02 fdea 5ba0 01 01 fdec", "c0 11 0c 02 01 00011170 01 01 0000fdec", "02 02 0000fdea 00011170 01 01 0000fdec")]
    public void Rfc6793_4_2_3_joins_AS_PATH_and_AS4_PATH(string path, string as4, string expected)
    {
        foreach (var attributes in (string[])[Origin + path + NextHop + as4, as4 + Origin + path + NextHop])   // CVE-2026-41643
            Assert.Equal(Same(Origin + $"40 02 {Octets(expected).Length:x2}" + expected + NextHop), Canonical(attributes, Sessions.Old));
    }

    [Fact]
    public void A_set_that_the_joined_path_has_not_is_in_no_summary()
    {
        const string SetInOld = "40 02 0a 02 02 fdea 5ba0 01 01 5ba0", NoneInNew = "c0 11 0e 02 03 0000fdea 00011170 00011171";
        foreach (var attributes in (string[])[Origin + SetInOld + NextHop + NoneInNew, NoneInNew + Origin + SetInOld + NextHop])
            Assert.False(Decode(Sessions.Old, "", attributes, Route).Announced.Summary.Has(AttributeMarks.HasAsSet));
        Assert.True(Decode(Sessions.Old, "", Origin + SetInOld + NextHop, Route).Announced.Summary.Has(AttributeMarks.HasAsSet));
    }

    [Theory]
    [InlineData("c0 07 06 5ba0 0a000001 c0 12 08 00011170 0a000009", "c0 07 08 00011170 0a000009", "00011170")]
    [InlineData("c0 07 06 fdec 0a000001 c0 12 08 00011170 0a000009", "c0 07 08 0000fdec 0a000001", "00005ba0")]  // stale: AS4_PATH too
    [InlineData("c0 07 06 fdec 0a000001", "c0 07 08 0000fdec 0a000001", "00011170")]
    [InlineData("c0 07 06 5ba0 0a000001 c0 12 07 00011170 0a0000", "c0 07 08 00005ba0 0a000001", "00011170")]
    public void Rfc6793_4_2_3_believes_the_aggregator_that_is_newer(string received, string aggregator, string second)
    {
        var attributes = Origin + "40 02 06 02 02 fdea 5ba0" + NextHop + received + "c0 11 06 02 01 00011170";
        Assert.Equal(Same(Origin + "40 02 0a 02 02 0000fdea" + second + NextHop + aggregator), Canonical(attributes, Sessions.Old));
    }

    [Fact]
    public void A_summary_holds_what_the_decision_looks_at()
    {
        var attributes = "40 01 01 01 40 02 0e 02 02 0000fdea 0000fdeb 01 01 0000fdec 40 03 04 0a630002 80 04 04 0000000a 40 05 04 00000064"
            + "80 09 04 0a000009 80 0a 08 0a0000010a000002";
        var summary = Decode(Sessions.Internal, "", attributes.Replace("40 02 0e", "40 02 10", StringComparison.Ordinal),
            Route).Announced.Summary;
        Assert.Equal((Attributes.Origin.Egp, 3, 2, 10u, 100u),
            (summary.Origin, summary.AsPathLength, summary.ClusterListLength, summary.Med, summary.LocalPref));
        Assert.Equal((65002u, 0u, 0x0a000009u), (summary.NeighborAs, summary.OriginAs, summary.OriginatorId));
        Assert.Equal(
            AttributeMarks.HasMed | AttributeMarks.HasLocalPref | AttributeMarks.HasOriginatorId | AttributeMarks.HasAsSet, summary.Marks);
    }

    [Fact]
    public void Damage_says_what_was_expected_and_what_came() =>
        Assert.Equal(
            "MULTI_EXIT_DISC is four octets (RFC 7606 section 7.4); got 800403000000",
            Decode(Sessions.External, "", Mandatory + "80 04 03 000000", Route).Damage.Expected);

    [Fact]
    public void A_canonical_block_is_handed_on_where_it_stands()
    {
        var body = Samples.Body([], Octets(Mandatory), Octets(Route));
        var update = new UpdateDecoder(Sessions.External).Decode(body);
        Assert.True(update.Announced.Attributes.Overlaps(body, out var offset));
        Assert.Equal(-4, offset);
    }

    [Fact]
    public void Decoding_allocates_nothing()
    {
        var decoder = new UpdateDecoder(Sessions.External);
        var bodies = new List<byte[]>();
        foreach (var attributes in (string[])[Mandatory, Reach + NextHop + Path + Origin, Mandatory + "40 05 04 00000064"])
            bodies.Add(Samples.Body([], Octets(attributes), Octets(Route)));
        foreach (var body in bodies) decoder.Decode(body);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            foreach (var body in bodies) decoder.Decode(body);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("18 7f0001")]       // 127.0.1.0/24
    [InlineData("04 e0")]           // 224.0.0.0/4
    [InlineData("20 ffffffff")]     // 255.255.255.255/32
    [InlineData("08 f0")]           // 240.0.0.0/8
    [InlineData("18 000001")]       // 0.0.1.0/24
    public void What_nobody_may_announce_is_passed_over(string martian)
    {
        var update = Decode(Sessions.External, "", Mandatory, "18 c61201" + martian + "18 c61202");
        Assert.Equal("18c6120118c61202", Text(update.Announced.Nlri.Octets).Replace(" ", ""));
        Assert.Equal(((1, 0), Penalty.None), (update.Martians, update.Damage.Penalty));
        Assert.Equal("nothing", Outcome(Mandatory, nlri: martian));
    }

    [Theory]
    [InlineData("00")]              // 0.0.0.0/0
    [InlineData("01 00")]           // 0.0.0.0/1
    [InlineData("01 80")]           // 128.0.0.0/1
    [InlineData("20 7effffff")]     // 126.255.255.255/32
    [InlineData("20 80000000")]     // 128.0.0.0/32
    [InlineData("10 a9fe")]         // 169.254.0.0/16
    public void What_only_looks_like_it_is_taken(string nlri)
    {
        Assert.Equal("route", Outcome(Mandatory, nlri: nlri));
        Assert.Equal((0, 0), Decode(Sessions.External, "", Mandatory, nlri).Martians);
    }

    [Theory]
    [InlineData("0a fe80", true)]                                   // fe80::/10
    [InlineData("08 ff", true)]                                     // ff00::/8
    [InlineData("80 00000000000000000000000000000001", true)]       // ::1/128
    [InlineData("68 00000000000000000000ffff0a", true)]             // ::ffff:10.0.0.0/104
    [InlineData("80 0000000000000000000000000a000001", true)]       // ::10.0.0.1/128
    [InlineData("00", false)]                                       // ::/0
    [InlineData("07 fc", false)]                                    // fc00::/7
    [InlineData("20 0064ff9b", false)]                              // 64:ff9b::/32
    public void Of_IPv6_too(string nlri, bool isMartian)
    {
        var value = "0002 01 10 20010db8000000000000000000000001 00" + nlri;
        var attributes = Origin + Path + $"80 0e {Octets(value).Length:x2}" + value;
        Assert.Equal((0, isMartian ? 1 : 0), Decode(Sessions.External, "", attributes, "").Martians);
    }
}
