using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class NameCacheTests
{
    private readonly List<Opening> openings = [];
    private NameCache cache = new(new() { MinTtl = TimeSpan.Zero });
    private long now = 1000;
    private ushort id;

    private static DnsFlow Flow(string endpoint = "cali1", string server = "10.0.0.53", ushort port = 40000) =>
        new(endpoint, Address.Parse("10.1.0.1"), port, Address.Parse(server), 53, IsTcp: false);

    /// <summary>A set a word, as <c>DomainSetsTests</c> numbers them: from 1 on.</summary>
    private string Apply(params string[] sets) => Heard(() => cache.Apply(DomainSetsTests.Sets(sets), now, openings));

    private string Lookup(string name, params Rr[] answers) => LookupBy("cali1", name, answers);

    private string LookupBy(string endpoint, string name, params Rr[] answers) => Heard(() =>
    {
        Assert.True(cache.Asked(Flow(endpoint), Messages.Query(name, ++id), now));
        cache.Answered(Flow(endpoint), Messages.Response(name, answers, id), now, openings);
    });

    /// <summary>What it opens: set, address, for how long.</summary>
    private string Heard(Action what)
    {
        openings.Clear();
        what();
        return string.Join("; ", openings.OrderBy(one => one.Set).ThenBy(one => one.Address)
            .Select(one => $"{one.Set} {one.Endpoint} {one.Address} {one.Until - now}"));
    }

    [Fact]
    public void A_response_opens_its_addresses_for_the_sets_of_its_name()
    {
        Apply("*.corp.example", "a.corp.example other.example");
        Assert.Equal("1 cali1 192.0.2.1 66000; 1 cali1 2001:db8::1 66000; 2 cali1 192.0.2.1 66000; 2 cali1 2001:db8::1 66000",
            Lookup("a.corp.example", Rr.Of("a.corp.example", "192.0.2.1"), Rr.Of("A.Corp.Example", "2001:db8::1")));
        Assert.Equal("", Lookup("corp.example", Rr.Of("corp.example", "192.0.2.2")));
        Assert.Equal("", Lookup("xcorp.example", Rr.Of("xcorp.example", "192.0.2.3")));
    }

    [Theory]
    [InlineData(60u, 66_000)]
    [InlineData(3600u, 3_960_000)]
    [InlineData(1u, 6_000)] // Not below 5 s, and longer by a second at least.
    [InlineData(0u, 6_000)]
    [InlineData(2147483648u, 6_000)] // RFC 2181 section 8
    [InlineData(uint.MaxValue, 6_000)]
    [InlineData(2147483647u, 665_280_000)] // Seven days, and a tenth.
    public void A_TTL_is_clamped_and_lasts_a_little_longer(uint ttl, long lifetime)
    {
        Assert.Equal(lifetime, new NameCacheSettings().Lifetime(ttl));
        Assert.Equal(lifetime + 120_000, new NameCacheSettings { ExtraTtl = TimeSpan.FromMinutes(2) }.Lifetime(ttl));
    }

    /// <summary>Row 26 of C.4, and each link with its own TTL.</summary>
    [Fact]
    public void A_chain_opens_its_addresses_for_each_of_its_names_and_lasts_as_its_shortest_link()
    {
        Apply("a.corp.example", "b.example", "c.example");
        Rr[] chain =
            [Rr.Alias("a.corp.example", "b.example", 10), Rr.Alias("b.example", "c.example", 100), Rr.Of("c.example", "192.0.2.1", 50)];
        const string Opened = "1 cali1 192.0.2.1 11000; 2 cali1 192.0.2.1 55000; 3 cali1 192.0.2.1 55000";
        Assert.Equal(Opened, Lookup("a.corp.example", chain));
        cache = new(cache.Settings);
        Apply("a.corp.example", "b.example", "c.example");
        Assert.Equal(Opened, Lookup("a.corp.example", [.. chain.Reverse()]));
    }

    [Fact]
    public void A_chain_may_come_over_several_responses_in_either_order()
    {
        Apply("a.example");
        Assert.Equal("", Lookup("a.example", Rr.Alias("a.example", "b.example", 100)));
        now += 1000;
        Assert.Equal("1 cali1 192.0.2.1 55000", Lookup("b.example", Rr.Of("b.example", "192.0.2.1", 50)));
        now += 1000;
        // The address is known, another name becomes its alias.
        Apply("x.example", "a.example");
        Assert.Equal("1 cali1 192.0.2.1 54000; 2 cali1 192.0.2.1 54000",
            Lookup("x.example", Rr.Alias("x.example", "a.example", 1000)));
    }

    [Fact]
    public void What_stands_beside_the_chain_opens_nothing()
    {
        Apply("bank.example", "a.example");
        Assert.Equal("2 cali1 192.0.2.1 66000", Lookup("a.example",
            Rr.Of("bank.example", "203.0.113.66"), Rr.Of("a.example", "192.0.2.1"), Rr.Alias("bank.example", "a.example")));
        Assert.Equal("", Lookup("evil.example", Rr.Of("bank.example", "203.0.113.66")));
        Assert.Equal("", Lookup("a.example", Rr.Of("a.example", "203.0.113.66") with { Class = 3 }));
    }

    [Theory]
    [InlineData("a.example a.example")]
    [InlineData("a.example b.example a.example")]
    [InlineData("a.example b.example c.example b.example")]
    public void A_chain_that_leads_in_a_circle_ends(string names)
    {
        Apply("*.example");
        var chain = names.Split(' ');
        Lookup("a.example", [.. chain.Zip(chain.Skip(1), (one, next) => Rr.Alias(one, next))]);
        Assert.Equal("1 cali1 192.0.2.9 66000", Lookup(chain[^1], Rr.Of(chain[^1], "192.0.2.9")));
        Assert.NotEmpty(cache.Explain(Address.Parse("192.0.2.9"), null, now));
    }

    [Fact]
    public void A_chain_is_followed_for_sixteen_aliases_and_what_lies_further_is_counted()
    {
        Apply("n0.example");
        static Rr Link(int from) => Rr.Alias($"n{from}.example", $"n{from + 1}.example");
        Rr[] Chain(int links, string address) => [.. Enumerable.Range(0, links).Select(Link), Rr.Of($"n{links}.example", address)];
        Assert.Equal("1 cali1 192.0.2.16 66000", Lookup("n0.example", Chain(16, "192.0.2.16")));
        cache = new(cache.Settings);
        Apply("n0.example");
        Assert.Equal("", Lookup("n0.example", Chain(17, "192.0.2.17")));
        Assert.Equal(1, cache.Counts.ChainsCut);
    }

    [Fact]
    public void Only_the_endpoint_that_asked_is_opened_for_or_all_where_the_node_shares()
    {
        Apply("a.example");
        Assert.Equal("1 cali2 192.0.2.1 66000", LookupBy("cali2", "a.example", Rr.Of("a.example", "192.0.2.1")));
        Assert.Equal("", Lookup("b.example", Rr.Alias("b.example", "a.example")));
        cache = new(new() { Isolation = DnsIsolation.Node });
        Apply("a.example", "b.example");
        Assert.Equal("1  192.0.2.1 66000", LookupBy("cali2", "a.example", Rr.Of("a.example", "192.0.2.1")));
        Assert.Equal("1  192.0.2.1 66000; 2  192.0.2.1 66000", Lookup("b.example", Rr.Alias("b.example", "a.example")));
    }

    private Heard Answer(DnsFlow flow, string name, ushort with, ushort type = DnsType.A) => cache.Answered(flow,
        Messages.Response(name, [Rr.Of(name, "192.0.2.1")], with, type), now, openings);

    [Fact]
    public void A_response_that_nobody_asked_for_is_not_believed()
    {
        Apply("*.example");
        Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Unasked, Answer(Flow(), "a.example", 7));
        cache.Asked(Flow(), Messages.Query("a.example", 7), now);
        var wrong = new (DnsFlow Flow, string Name, ushort Id, ushort Type)[]
        {
            (Flow(server: "10.0.0.66"), "a.example", 7, DnsType.A), (Flow(port: 40001), "a.example", 7, DnsType.A),
            (Flow("cali2"), "a.example", 7, DnsType.A), (Flow() with { IsTcp = true }, "a.example", 7, DnsType.A),
            (Flow() with { ServerPort = 54 }, "a.example", 7, DnsType.A),
            (Flow(), "a.example", 8, DnsType.A), (Flow(), "b.example", 7, DnsType.A), (Flow(), "a.example", 7, DnsType.Aaaa),
        };
        Assert.All(wrong, one => Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Unasked, Answer(one.Flow, one.Name, one.Id, one.Type)));
        Assert.Empty(openings);
        Assert.Equal(wrong.Length + 1, cache.Counts.Unasked);
        Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Learned, Answer(Flow(), "A.EXAMPLE", 7));
        // Once: who wants to be answered again asks again.
        Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Unasked, Answer(Flow(), "a.example", 7));
    }

    [Fact]
    public void A_response_counts_for_half_a_minute_and_each_of_a_pair_for_itself()
    {
        cache.Asked(Flow(), Messages.Query("a.example", 7), now);
        cache.Asked(Flow(), Messages.Query("a.example", 8, DnsType.Aaaa), now);
        now += 30_000;
        Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Learned, Answer(Flow(), "a.example", 8, DnsType.Aaaa));
        now += 1;
        Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Unasked, Answer(Flow(), "a.example", 7));
    }

    [Fact]
    public void Of_too_many_queries_the_oldest_goes()
    {
        cache = new(new() { QueriesPerEndpoint = 20 });
        for (ushort number = 0; number < 21; number++) cache.Asked(Flow(), Messages.Query("a.example", number), now);
        cache.Asked(Flow("cali2"), Messages.Query("a.example", 0), now);
        Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Unasked, Answer(Flow(), "a.example", 0));
        for (ushort number = 1; number < 21; number++)
            Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Learned, Answer(Flow(), "a.example", number));
        Assert.Equal(Calico.Bgp.Dataplane.Dns.Heard.Learned, Answer(Flow("cali2"), "a.example", 0));
        Assert.Equal(1, cache.Counts.QueriesGivenUp);
    }

    [Fact]
    public void Neither_a_damaged_response_nor_an_error_opens_anything_and_of_a_truncated_one_what_is_whole()
    {
        Apply("*.example");
        Heard Of(ushort flags, Func<byte[], byte[]> cut, ushort number)
        {
            openings.Clear();
            cache.Asked(Flow(), Messages.Query("a.example", number), now);
            return cache.Answered(Flow(), cut(Messages.Response("a.example",
                [Rr.Of("a.example", "192.0.2.1"), Rr.Of("a.example", "192.0.2.2")], number, flags: flags)), now, openings);
        }
        byte[] Cut(byte[] whole) => whole[..^15]; // EDNS's record, and the end of an address.
        Assert.Equal((Calico.Bgp.Dataplane.Dns.Heard.Damaged, 0), (Of(0x8180, Cut, 1), openings.Count));
        Assert.Equal((Calico.Bgp.Dataplane.Dns.Heard.Learned, 1), (Of(0x8380, Cut, 2), openings.Count));
        Assert.Equal((Calico.Bgp.Dataplane.Dns.Heard.Empty, 0), (Of(0x8183, whole => whole, 3), openings.Count));
        Assert.Equal((Calico.Bgp.Dataplane.Dns.Heard.Damaged, 0), (Of(0x8180, whole => [1, 2, 3], 4), openings.Count));
        Assert.Equal((Calico.Bgp.Dataplane.Dns.Heard.Damaged, 0), (Of(0x0180, whole => whole, 5), openings.Count));
        Assert.Equal((Calico.Bgp.Dataplane.Dns.Heard.Learned, 2), (Of(0x8180, whole => whole, 6), openings.Count));
        Assert.Equal(3, cache.Counts.Damaged);
        Assert.False(cache.Asked(Flow(), Messages.Response("a.example", []), now));
    }

    [Fact]
    public void Sets_that_come_are_filled_from_what_is_known_and_those_that_stay_are_not_told_again()
    {
        Apply("a.example");
        Lookup("a.example", Rr.Alias("a.example", "b.example", 100), Rr.Of("b.example", "192.0.2.1", 50));
        LookupBy("cali2", "c.other", Rr.Of("c.other", "192.0.2.2", 20));
        now += 1000;
        Assert.Equal("2 cali1 192.0.2.1 54000; 3 cali2 192.0.2.2 21000", Apply("a.example", "*.example", "*.other"));
        Assert.Equal("", Apply("a.example", "*.example", "*.other"));
        now += 21_000;
        Assert.Equal("4 cali1 192.0.2.1 33000", Apply("a.example", "*.example", "*.other", "a.example c.other"));
        now += 33_000;
        Assert.Equal("", Apply("a.example", "*.example", "*.other", "a.example c.other", "b.example"));
    }

    [Fact]
    public void A_shorter_TTL_takes_nothing_back_and_a_longer_one_lengthens()
    {
        Apply("a.example");
        Lookup("a.example", Rr.Of("a.example", "192.0.2.1", 100));
        now += 10_000;
        Assert.Equal("1 cali1 192.0.2.1 100000", Lookup("a.example", Rr.Of("a.example", "192.0.2.1", 1)));
        Assert.Equal("1 cali1 192.0.2.1 220000", Lookup("a.example", Rr.Of("a.example", "192.0.2.1", 200)));
    }

    [Fact]
    public void Who_has_the_interface_next_has_looked_nothing_up()
    {
        Lookup("a.example", Rr.Of("a.example", "192.0.2.1"));
        LookupBy("cali2", "a.example", Rr.Of("a.example", "192.0.2.1"));
        cache.Forget("cali1");
        Assert.Equal("1 cali2 192.0.2.1 66000", Apply("a.example"));
        Assert.Equal(1, cache.Counts.Names);
    }

    [Fact]
    public void Of_too_many_names_those_go_first_that_no_set_asks_for_then_those_used_longest_ago()
    {
        cache = new(new() { NamesPerEndpoint = 3 });
        Apply("*.asked");
        foreach (var name in new[] { "a.asked", "b.asked", "c.other", "d.other" }) Lookup(name, Rr.Of(name, "192.0.2.1"));
        Assert.Equal("a.asked b.asked d.other", Names());
        Lookup("a.asked", Rr.Of("a.asked", "192.0.2.1"));
        Lookup("e.asked", Rr.Of("e.asked", "192.0.2.1"));
        Lookup("f.asked", Rr.Of("f.asked", "192.0.2.1"));
        Assert.Equal("a.asked e.asked f.asked", Names());
        Assert.Equal((3, 3L), (cache.Counts.Names, cache.Counts.NamesGivenUp));
    }

    private string Names() => string.Join(" ", cache.Names.Select(one => DnsName.Text(one.Name.Octets)).Order());

    [Fact]
    public void Of_too_many_names_altogether_one_goes_of_the_endpoint_that_has_most()
    {
        cache = new(new() { Names = 10 });
        LookupBy("cali2", "mine.example", Rr.Of("mine.example", "192.0.2.1"));
        for (var number = 0; number < 1000; number++) Lookup($"n{number}.example", Rr.Of($"n{number}.example", "192.0.2.1"));
        Assert.Equal(10, cache.Counts.Names);
        Assert.Contains("mine.example", Names(), StringComparison.Ordinal);
        Assert.Contains("n999.example", Names(), StringComparison.Ordinal);
    }

    /// <summary>As many as there are at most, and a file that all of them come back from.</summary>
    [Fact]
    public void A_hundred_thousand_names_are_known_written_down_and_restored()
    {
        const int most = 100_000, endpoints = 10;
        cache = new(new());
        Apply("*.example");
        for (var number = 0; number < most; number++)
            LookupBy($"cali{number % endpoints}", $"n{number}.example", Rr.Of($"n{number}.example", "192.0.2.1", 3600));
        Assert.Equal(new() { Names = most }, cache.Counts);
        LookupBy("cali3", "one.example", Rr.Of("one.example", "192.0.2.1", 3600));
        Assert.Equal(new() { Names = most, NamesGivenUp = 1 }, cache.Counts);
        var file = Path.GetTempFileName();
        try
        {
            NameCacheFile.Write(file, cache.Image(0, now, DateTimeOffset.UnixEpoch));
            cache = new(new());
            Assert.Equal(most, cache.Restore(NameCacheFile.Read(file, 0, DnsIsolation.Pod).Image!, now, DateTimeOffset.UnixEpoch));
            // The third had to go.
            Assert.Equal(["cali0", "cali2", "cali3", "cali4", "cali9"],
                Apply("one.example n99999.example n0.example n2.example n3.example n4.example").Split("; ").Select(one => one.Split()[1])
                    .Order(StringComparer.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Of_too_many_addresses_the_one_goes_that_ends_first()
    {
        cache = new(new() { AddressesPerName = 3 });
        Apply("a.example");
        Lookup("a.example", Rr.Of("a.example", "192.0.2.1", 30), Rr.Of("a.example", "192.0.2.2", 10), Rr.Of("a.example", "192.0.2.3", 20));
        Assert.Equal("1 cali1 192.0.2.1 33000; 1 cali1 192.0.2.3 22000; 1 cali1 192.0.2.4 16500",
            Lookup("a.example", Rr.Of("a.example", "192.0.2.4", 15)));
        Assert.Equal(1, cache.Counts.AddressesGivenUp);
    }

    [Fact]
    public void A_response_with_thousands_of_addresses_opens_as_many_as_a_name_may_have()
    {
        Apply("a.example");
        Lookup("a.example", [.. Enumerable.Range(0, 4000).Select(i => Rr.Of("a.example", $"10.9.{i / 250}.{i % 250}"))]);
        Assert.Equal(1024, openings.Count);
        Assert.Equal(2976, cache.Counts.AddressesGivenUp);
    }

    [Fact]
    public void A_name_that_hundreds_are_aliases_of_forgets_the_first()
    {
        Apply("*.example");
        for (var number = 0; number < 300; number++) Lookup($"n{number}.example", Rr.Alias($"n{number}.example", "cdn.other"));
        Lookup("cdn.other", Rr.Of("cdn.other", "192.0.2.1"));
        Assert.Equal((1, 44L), (openings.Count, cache.Counts.AliasesGivenUp));
        Assert.Equal(256, cache.Explain(Address.Parse("192.0.2.1"), "cali1", now).Count());
    }

    [Fact]
    public void What_has_ended_goes_as_others_come()
    {
        for (var number = 0; number < 100; number++) Lookup($"n{number}.example", Rr.Of($"n{number}.example", "192.0.2.1", 1));
        now += 3_600_000;
        for (var number = 0; number < 101; number++) Lookup("a.example", Rr.Of("a.example", "192.0.2.1", 1));
        Assert.Equal("a.example", Names());
    }

    [Fact]
    public void An_address_is_explained_by_the_names_that_lead_to_it_and_the_response_that_brought_it()
    {
        Apply("a.example");
        Lookup("a.example", Rr.Alias("a.example", "b.example", 100), Rr.Of("b.example", "192.0.2.1", 50));
        now += 1000;
        var why = Assert.Single(cache.Explain(Address.Parse("192.0.2.1"), "cali1", now));
        Assert.Equal("cali1 [a.example, b.example] [1] 10.0.0.53 50 1000 56000",
            $"{why.Endpoint} {why.Names} {why.Sets} {why.By.Server} {why.By.Ttl} {why.By.Since} {why.Until}");
        Assert.Empty(cache.Explain(Address.Parse("192.0.2.1"), "cali2", now));
        Assert.Empty(cache.Explain(Address.Parse("192.0.2.2"), null, now));
        Assert.Empty(cache.Explain(Address.Parse("192.0.2.1"), null, now + 55_000));
    }

    [Fact]
    public void Its_image_restores_what_has_not_ended_on_another_clock()
    {
        Apply("a.example");
        Lookup("a.example", Rr.Alias("a.example", "b.example", 100), Rr.Of("b.example", "192.0.2.1", 50));
        Lookup("short.example", Rr.Of("short.example", "192.0.2.2", 1));
        var wall = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);
        var image = cache.Image(epoch: 3, now, wall);
        (cache, now) = (new(cache.Settings), 5);
        Assert.Equal(2, cache.Restore(image, now, wall.AddSeconds(10)));
        Assert.Equal("1 cali1 192.0.2.1 45000", Apply("a.example"));
        // A wall clock that went back a year lets nothing live for a year.
        cache = new(cache.Settings);
        cache.Restore(image, now, wall.AddYears(-1));
        var latest = now + cache.Settings.Lifetime(int.MaxValue);
        Assert.True(cache.Names.All(one => one.Name.Addresses.TrueForAll(by => by.By.Until <= latest)));
    }
}
