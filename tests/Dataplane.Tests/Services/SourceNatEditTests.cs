using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Services;

public sealed class SourceNatEditTests
{
    private static readonly SourceNatSettings File = new()
    {
        Addresses = [SourceNatWords.Place("30.0.0.1")!, SourceNatWords.Place("30::1")!],
        Exclude = [Prefix.Parse("20::/100")],
        Include = ["tap0"],
    };

    private static SourceNatSettings? Say(SourceNatSettings? over, params SourceNatEdit[] edits) =>
        edits.Aggregate(SourceNatEdits.None, (all, edit) => all.With(edit)).Over(over);

    private static readonly SourceNatEdit Excluded = new SourceNatEdit.Exclude(Prefix.Parse("10.0.0.0/8"), IsGone: false);

    [Fact]
    public void Nothing_said_is_what_the_file_says_and_nothing_at_all_is_nothing()
    {
        Assert.Same(File, Say(File));
        Assert.Null(Say(null));
        Assert.Equal(new SourceNatSettings { Exclude = [Prefix.Parse("10.0.0.0/8")] }, Say(null, Excluded));
    }

    [Fact]
    public void An_address_takes_the_place_of_its_familys()
    {
        var place = SourceNatWords.Place("eth0 v6")!;
        Assert.Equal([File.Addresses[0], place], Say(File, new SourceNatEdit.Source(IpFamily.IPv6, place))!.Addresses);
        Assert.Equal([File.Addresses[1]], Say(File, new SourceNatEdit.Source(IpFamily.IPv4, null))!.Addresses);
    }

    [Fact]
    public void What_is_named_comes_to_what_the_file_names_or_goes_from_it()
    {
        var said = Say(File, Excluded, new SourceNatEdit.Exclude(Prefix.Parse("20::/100"), IsGone: true),
            new SourceNatEdit.Link(SourceNatLinks.Include, "tap1", IsGone: false),
            new SourceNatEdit.Link(SourceNatLinks.Include, "tap0", IsGone: false),
            new SourceNatEdit.Link(SourceNatLinks.Host, "eth0", IsGone: false),
            new SourceNatEdit.Policy(SourceNatPolicy.K8s))!;
        Assert.Equal([Prefix.Parse("10.0.0.0/8")], said.Exclude);
        Assert.Equal(["tap0", "tap1"], said.Include);
        Assert.Equal((SourceNatPolicy.K8s, "eth0", 0), (said.Policy, Assert.Single(said.Hosts), said.Pods.Count));
    }

    [Fact]
    public void Of_two_that_speak_of_the_same_the_later_one_counts()
    {
        Assert.Equal(File, Say(File, Excluded, new SourceNatEdit.Exclude(Prefix.Parse("10.0.0.0/8"), IsGone: true)));
        Assert.Equal(SourceNatPolicy.IfPfx,
            Say(File, new SourceNatEdit.Policy(SourceNatPolicy.K8s), new SourceNatEdit.Policy(SourceNatPolicy.IfPfx))!.Policy);
        var (from, to) = (Prefix.Parse("10.0.0.0/24"), Prefix.Parse("20.0.0.0/24"));
        Assert.Equal([new PrefixRewrite(from, to)],
            Say(null, new SourceNatEdit.Rewrite(from, Prefix.Parse("30.0.0.0/24")), new SourceNatEdit.Rewrite(from, to))!.Rewrite);
        Assert.Empty(Say(null, new SourceNatEdit.Rewrite(from, to), new SourceNatEdit.Rewrite(from, null))!.Rewrite);
    }
}
