using Calico.Bgp.Dataplane.Dns;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class DnsMessageTests
{
    private static string Read(byte[] octets)
    {
        Span<byte> question = new byte[DnsName.Longest], name = new byte[DnsName.Longest];
        if (!DnsMessage.TryRead(octets, question, out var message)) return "none";
        var words = new List<string> { $"{message.Id} {DnsName.Text(message.Name)} {message.Type}/{message.Class}" };
        bool isDamaged;
        while (message.Next(out var record, out isDamaged))
        {
            var owner = message.Owner(record, name);
            var text = owner < 0 ? "?" : DnsName.Text(name[..owner]);
            var target = record.Type == DnsType.Cname ? message.Target(record, name) : -2;
            words.Add($"{text} {record.Ttl} "
                + (message.Address(record)?.ToString()
                    ?? (target >= 0 ? DnsName.Text(name[..target]) : target == -1 ? "?" : $"{record.Type}")));
        }
        if (isDamaged) words.Add("damaged");
        return string.Join("; ", words);
    }

    [Fact]
    public void Question_and_answers_are_read_and_the_rest_is_left() =>
        Assert.Equal("7 www.example.org 1/1; www.example.org 300 cdn.example.net; cdn.example.net 60 192.0.2.1; "
            + "cdn.example.net 5 2001:db8::1; www.example.org 9 16", Read(Messages.Response("WWW.Example.Org",
            [Rr.Alias("www.EXAMPLE.org", "cdn.example.net", 300), Rr.Of("cdn.example.net", "192.0.2.1"),
                Rr.Of("CDN.example.net", "2001:db8::1", 5), new("www.example.org", 16, 9, [1, 97])])));

    // 12: example.org; 25: type, class; 29: the answer's owner, www before a pointer to the question.
    private const string Head = "00078180000100010000000007" + "6578616d706c65" + "036f726700" + "00010001";

    [Theory]
    [InlineData("03777777c00c" + "00010001" + "0000003c" + "0004" + "c0000201", "www.example.org 60 192.0.2.1")]
    [InlineData("c00c" + "00050001" + "0000003c" + "0006" + "03777777c00c", "example.org 60 www.example.org")]
    [InlineData("c014" + "00010001" + "0000003c" + "0004" + "c0000201", "org 60 192.0.2.1")]
    public void Names_end_in_others_that_stand_before_them(string answer, string read) =>
        Assert.Equal($"7 example.org 1/1; {read}", Read(Convert.FromHexString(Head + answer)));

    [Theory]
    [InlineData("c01d" + "00010001" + "0000003c" + "0004" + "c0000201", "? 60 192.0.2.1")] // A pointer to itself,
    [InlineData("c01f" + "00010001" + "0000003c" + "0004" + "c0000201", "? 60 192.0.2.1")] // to what stands behind it,
    [InlineData("0161c01d" + "00010001" + "0000003c" + "0004" + "c0000201", "? 60 192.0.2.1")] // to where its own name begins,
    [InlineData("c000" + "00010001" + "0000003c" + "0004" + "c0000201", "? 60 192.0.2.1")] // into the header,
    [InlineData("ffff" + "00010001" + "0000003c" + "0004" + "c0000201", "? 60 192.0.2.1")] // beyond the end.
    [InlineData("c00c" + "00050001" + "0000003c" + "0002" + "c029", "example.org 60 ?")]
    [InlineData("c00c" + "00050001" + "0000003c" + "0003" + "c00c00", "example.org 60 ?")] // Data that goes on behind the name.
    [InlineData("c00c" + "00050001" + "0000003c" + "0001" + "c00c", "example.org 60 ?")] // A name that goes on behind the data.
    [InlineData("c00c" + "00010001" + "0000003c" + "0003" + "c00002", "example.org 60 1")] // No address has three octets,
    [InlineData("c00c" + "001c0001" + "0000003c" + "0004" + "c0000201", "example.org 60 28")] // and an IPv6 one not four.
    [InlineData("c00c" + "00010001" + "0000003c" + "0005" + "c0000201", "damaged")]
    [InlineData("c00c" + "00010001" + "0000003c" + "00", "damaged")]
    [InlineData("c0", "damaged")]
    [InlineData("", "damaged")]
    [InlineData("40" + "00010001" + "0000003c" + "0004" + "c0000201", "damaged")] // Neither a label nor a pointer (RFC 6891 section 5),
    [InlineData("80" + "00010001" + "0000003c" + "0004" + "c0000201", "damaged")] // nor this.
    public void What_is_damaged_is_nothing_or_ends_the_answers(string answer, string read) =>
        Assert.Equal($"7 example.org 1/1; {read}", Read(Convert.FromHexString(Head + answer)));

    [Theory]
    [InlineData("")]
    [InlineData("000781800001000000000000")] // No question where one is said,
    [InlineData("0007818000000000000000000361626300000100")] // none said,
    [InlineData("000781800002000000000000036162630000010001036162630000010001")] // two,
    [InlineData("00078180000100000000000003616263000001")] // half of one,
    [InlineData("000781800001000000000000c00c00010001")] // a name that leads to itself,
    [InlineData("0007818000010000000000000361")] // a label that goes on behind the end.
    public void A_message_without_one_question_is_none(string hex) => Assert.Equal("none", Read(Convert.FromHexString(hex)));

    [Fact]
    public void A_name_is_as_long_as_the_DNS_allows()
    {
        var label = new string('a', 63);
        var longest = $"{label}.{label}.{label}.{new string('b', 61)}";
        Assert.Equal($"7 {longest} 1/1", Read(Messages.Response(longest, [])));
        Assert.Equal("none", Read(Messages.Response(longest + "b", [])));
    }

    [Fact]
    public void A_label_with_a_dot_inside_is_not_two()
    {
        var octets = Messages.Query("aXexample.org");
        octets[14] = (byte)'.';
        Assert.Equal("7 a\\.example.org 1/1", Read(octets));
        Assert.NotEqual(DnsName.Parse("a.example.org"), DnsName.Parse("a\\.example.org"));
        Assert.Equal("a\\.example.org", DnsName.Text(DnsName.Parse("a\\.example.org")));
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var addresses = Enumerable.Range(0, 250).Select(i => Rr.Of("cdn.example.net", $"192.0.2.{i}"));
        var octets = Messages.Response("www.example.org", [Rr.Alias("www.example.org", "cdn.example.net"), .. addresses]);
        byte[] question = new byte[DnsName.Longest], name = new byte[DnsName.Longest];
        (int Records, long Allocated) Read()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var records = Records(octets, question, name);
            return (records, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Read();
        Assert.Equal((251, 0L), Read());
    }

    private static int Records(byte[] octets, byte[] question, byte[] name)
    {
        var count = 0;
        if (!DnsMessage.TryRead(octets, question, out var message)) return -1;
        while (message.Next(out var record, out _))
            if (message.Owner(record, name) >= 0 && (message.Address(record) != null || message.Target(record, name) >= 0)) count++;
        return count;
    }
}
