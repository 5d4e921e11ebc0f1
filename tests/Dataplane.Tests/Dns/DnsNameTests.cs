using Calico.Bgp.Dataplane.Dns;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class DnsNameTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(".", "")]
    [InlineData("a", "0161")]
    [InlineData("A.bC.", "0161026263")]
    [InlineData("a\\.b.c", "03612e620163")]
    [InlineData("\\046\\\\", "022e5c")]
    [InlineData("\\065", "0161")]
    public void A_name_is_its_labels_in_lower_case(string text, string octets) =>
        Assert.Equal(octets, Convert.ToHexStringLower(DnsName.Parse(text)!));

    [Theory]
    [InlineData("..")]
    [InlineData(".a")]
    [InlineData("a..b")]
    [InlineData("ü")]
    [InlineData("a\\")]
    [InlineData("a\\04")]
    [InlineData("a\\256")]
    public void What_no_name_can_be_is_none(string text) => Assert.Null(DnsName.Parse(text));

    [Fact]
    public void Labels_and_names_have_their_lengths()
    {
        var label = new string('a', 63);
        Assert.Equal(64, DnsName.Parse(label)!.Length);
        Assert.Null(DnsName.Parse(label + "a"));
        Assert.Equal(DnsName.Longest, DnsName.Parse($"{label}.{label}.{label}.{new string('b', 61)}")!.Length);
        Assert.Null(DnsName.Parse($"{label}.{label}.{label}.{new string('b', 62)}"));
        Assert.Null(DnsName.Parse($"{label}.{label}.{label}.{new string('b', 61)}.c"));
    }

    [Fact]
    public void Any_names_text_says_that_name_again()
    {
        var label = Gen.Choose(1, 5).SelectMany(length => Gen.ArrayOf(Gen.Choose(0, 255).Select(octet => (byte)octet), length));
        Prop.ForAll(Gen.ListOf(label, 4).ToArbitrary(), labels =>
        {
            byte[] wire = [.. labels.SelectMany(octets => (byte[])[(byte)octets.Length, .. octets]), 0];
            var (at, into) = (0, new byte[DnsName.Longest]);
            var name = into[..DnsName.Read(wire, ref at, into)];
            return at == wire.Length && name.AsSpan().SequenceEqual(DnsName.Parse(DnsName.Text(name)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }
}
