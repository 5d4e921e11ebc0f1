using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Extending;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Examples;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests.Extending;

/// <summary>examples/18-nat-extension as it stands there, beside extensions that fail.</summary>
public sealed class NatExtensionsTests : IHostFacts
{
    private readonly TableWriter table = new();

    private sealed class Failing(string name, Func<NatModel, IEnumerable<NatContribution>> build) : INatExtension
    {
        public string Name => name;
        public IEnumerable<NatContribution> Build(NatModel model) => build(model);
    }

    private static DenySources Deny => new(Prefix.Parse("192.0.2.0/24"), Prefix.Parse("2001:db8::/32"));

    private ImmutableArray<NftChange> Write(NatExtensions extensions)
    {
        if (extensions.Look()) extensions.Write(table.For(extensions));
        return table.Take();
    }

    private static NatExtensions With(params INatExtension[] some) => new([.. some], NullLogger.Instance);

    [Theory]
    [InlineData("192.0.2.7", "10.0.0.1", PacketVerdict.Drop)]
    [InlineData("192.0.3.7", "10.0.0.1", PacketVerdict.Accept)]
    [InlineData("2001:db8::7", "fd00::1", PacketVerdict.Drop)]
    [InlineData("2001:db9::7", "fd00::1", PacketVerdict.Accept)]
    public void The_example_drops_what_comes_from_denied_prefixes_before_it_is_translated(string from, string to, PacketVerdict verdict)
    {
        var changes = Write(With(Deny));
        Assert.Contains(new NftChange.PutCounter("ext-deny-dropped"), changes);
        var chains = changes.OfType<NftChange.PutChain>().Select(change => change.Chain).ToArray();
        Assert.Equal(-150, Assert.Single(chains, chain => chain.Hook != null).Hook!.Priority);
        var ends = PacketWalk.Ends(new PacketTable(changes.OfType<NftChange.PutSet>().Select(change => change.Set), chains), this,
            new Packet(Address.Parse(from), Address.Parse(to)) { Protocol = IpProtocol.Tcp, In = "eth0", Out = "eth1" });
        Assert.Equal(verdict, Assert.Single(ends).Verdict);
    }

    [Fact]
    public void One_that_fails_is_left_out_and_named_and_the_others_are_there()
    {
        var set = new NftSet("mine", [NftType.Ipv4Address], false, []);
        var extensions = With(
            new Failing("broken", _ => throw new InvalidOperationException("no such list")), Deny,
            new Failing("late", _ => Enumerable.Range(0, 1).Select<int, NatContribution>(_ => throw new FormatException("bad line"))),
            new Failing("thief", _ => [new(NatSlot.Snat, []) { Sets = [set] }]), new Failing("Big Name", _ => []));
        Assert.Contains(Write(extensions), change => change is NftChange.PutSet({ Name: "ext-deny-from4" }));
        Assert.Equal("""
            the extension broken is left out: no such list
            the extension late is left out: bad line
            the extension thief is left out: expected names that begin with ext-thief-, got mine
            the extension Big Name is left out: expected a name of small letters and digits
            """, string.Join('\n', extensions.Problems));
    }

    [Fact]
    public void It_is_asked_again_when_addresses_change_and_what_is_the_same_writes_nothing()
    {
        var asked = 0;
        var extensions = With(Deny, new Failing("links", model =>
        {
            asked++;
            return [new(NatSlot.Snat, [.. model.Machine.Links.Values.Select(link => new NftRule(new MatchInterface(true, link.Name)))])];
        }));
        Assert.NotEmpty(Write(extensions));
        var other = KernelSnapshot.Empty with { Links = KernelSnapshot.Empty.Links.Add(2, new(2, "eth7", 1, 1500, 0, null)) };
        extensions.Apply(new DataplaneChange.Machine(other));
        var chain = Assert.IsType<NftChange.PutChain>(Assert.Single(Write(extensions))).Chain;
        Assert.Equal(("ext-links-snat", "oifname \"eth7\""), (chain.Name, Assert.Single(chain.Rules).ToString()));
        extensions.Apply(new DataplaneChange.Machine(other));
        Assert.Empty(Write(extensions));
        Assert.Equal(2, asked);
    }

    [Fact]
    public void Where_the_kernel_refuses_a_rule_of_a_slot_the_slot_is_empty() =>
        Assert.All(Write(With(Deny)).OfType<NftChange.PutChain>().Where(change => change.Chain.Hook == null),
            change => Assert.Empty(Assert.Single(change.Chain.Instead)));

    public bool? IsLocal(Address address) => false;
    public bool? IsLocalOn(Address address, string link) => false;
    public bool? ComesBackBy(Address source, uint mark, string link) => true;
}
