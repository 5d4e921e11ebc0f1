using Calico.Bgp.Kernel.Conntrack;
using Microsoft.Extensions.Logging.Abstractions;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

public class PartsWriterTests
{
    private static readonly Gen<NatPlan> AnyPlan =
        from pools in Gen.SubListOf("10.0.0.0/16", "10.1.0.0/16", "fd00:1::/48", "fd00:2::/48")
        from nat in Gen.Elements(true, false)
        from vxlan in Gen.Elements(true, false)
        from hosts in Gen.Elements(true, false)
        from addresses in Gen.SubListOf("198.51.100.1", "198.51.100.2")
        select Plan([
            .. pools.Select((cidr, i) =>
                Pool($"pool{i}", cidr, nat || i == 0) with { VxlanMode = vxlan ? Resources.EncapsulationMode.Always : default }),
            Node("node1", "172.20.0.1"),
            Felix() with
            {
                NatOutgoingExclusions = hosts ? Resources.NatOutgoingExclusions.IPPoolsAndHostIPs : default,
                NatOutgoingAddress =
                    [.. addresses.Select(address => new Resources.AddressRange(Address.Parse(address), Address.Parse(address)))],
            },
        ]);

    /// <summary>What the table would have after all the changes, each part as one line.</summary>
    private sealed class Written
    {
        private readonly SortedDictionary<string, string> parts = [];

        public string Text => string.Join('\n', parts.Select(part => $"{part.Key} {part.Value}"));

        public void Take(IEnumerable<NftChange> changes)
        {
            foreach (var change in changes)
                switch (change)
                {
                    case NftChange.PutSet(var set): parts[$"set {set.Name}"] = string.Join(", ", set.Elements); break;
                    case NftChange.PutChain(var chain):
                        parts[$"chain {chain.Name}"] = $"{chain.Hook}: {string.Join("; ", chain.Rules)}"; break;
                    case NftChange.RemoveSet(var name): parts.Remove($"set {name}"); break;
                    case NftChange.RemoveChain(var name): parts.Remove($"chain {name}"); break;
                    default: throw new ArgumentException(change.ToString(), nameof(changes));
                }
        }
    }

    private sealed class Hand
    {
        private readonly Nat nat = new(TimeProvider.System, new(new ConnectionTable(), NullLogger.Instance), NullLogger.Instance);

        public TableWriter Table { get; } = new();

        public IReadOnlyList<NftChange> Write(NatPlan plan)
        {
            nat.Write(Table.For(nat), Masquerade.Render(plan));
            return Table.Take();
        }
    }

    [Fact]
    public void Parts_written_step_by_step_are_those_written_from_scratch() => Prop.ForAll(AnyPlan.NonEmptyListOf().ToArbitrary(), plans =>
    {
        var (steps, written) = (new Hand(), new Written());
        foreach (var plan in plans)
        {
            written.Take(steps.Write(plan));
            var scratch = new Written();
            scratch.Take(new Hand().Write(plan));
            Assert.Equal(scratch.Text, written.Text);
            Assert.Empty(steps.Write(plan));
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void After_the_table_has_gone_everything_is_written_again()
    {
        var hand = new Hand();
        var plan = Plan(Pool("pods", "10.0.0.0/16"));
        var first = hand.Write(plan);
        hand.Table.Forget();
        Assert.Equal((3, 3), (first.Count, hand.Write(plan).Count));
    }

    [Fact]
    public void An_edit_writes_what_it_touches()
    {
        var hand = new Hand();
        hand.Write(Plan(Pool("pods", "10.0.0.0/16"), Pool("pods6", "fd00:1::/48")));
        var changes = hand.Write(Plan(Pool("pods", "10.0.0.0/16"), Pool("pods6", "fd00:1::/48"), Pool("more", "10.1.0.0/16", nat: false)));
        Assert.Equal("nat-pools4", Assert.IsType<NftChange.PutSet>(Assert.Single(changes)).Set.Name);
    }

    [Fact]
    public void Nobody_writes_under_anothers_name()
    {
        var into = new TableWriter().For(new Nat(TimeProvider.System, new(new ConnectionTable(), NullLogger.Instance),
            NullLogger.Instance));
        foreach (var write in (Action[])[
            () => into.Put(new NftSet("pol-s", [NftType.Ipv4Address], false, [])), () => into.Put(new NftChain("postrouting", null, [])),
            () => into.RemoveSet("nat"), () => into.RemoveChain("natural")])
            Assert.StartsWith(
                "expected a name that begins with nat-, got ", Assert.Throws<ArgumentException>(write).Message, StringComparison.Ordinal);
    }
}
