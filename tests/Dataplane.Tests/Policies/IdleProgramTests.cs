using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>What the last pod that was asked so leaves behind, and what the next one costs.</summary>
public sealed class IdleProgramTests
{
    private static readonly DataplaneSettings On = new("node1", Policy: new() { Enabled = true });

    private readonly ManualTimeProvider clock = new();
    private readonly Enforcement enforcement;
    private readonly WrittenTable table = new();

    public IdleProgramTests()
    {
        enforcement = new(() => QueueWay.Expression, clock);
        enforcement.Apply(new DataplaneChange.Configured(On));
        Change(null, new Tier(new Metadata("default")) { Order = 1_000_000 });
        Change(null, new KubernetesNamespace(new Metadata("default")));
        Change(null, Policy("job-0"));
        Change(null, Job(1000)); // which no policy selects, and which stays
    }

    private static Pod Job(int job, int run = 0) => new(new Metadata($"job-{job}-{run}", "default")
    {
        Labels = Labels.From([new("job", $"job-{job}"), new("projectcalico.org/namespace", "default")]),
    })
    {
        Node = "node1",
        Nets = [new Prefix(Address.FromIPv4(0x0a000000u + (uint)((job * 256) + run)), 32)],
        Profiles = ["kns.default"],
    };

    private static NetworkPolicy Policy(string job) => new(new Metadata(job, "default"))
    {
        Spec = new()
        {
            Tier = "default",
            AppliesTo = Selector.Parse($"job == '{job}'"),
            Types = PolicyTypes.Ingress,
            WorkloadsOnly = true,
            Ingress = [new PolicyRule { Action = RuleAction.Allow, Protocol = 6, Source = new() { In = Selector.Parse("has(job)") } }],
        },
    };

    /// <returns>What was written, up to where nothing is left to be.</returns>
    private ImmutableArray<NftChange> Change(Resource? before, Resource? after)
    {
        var one = (before ?? after)!;
        enforcement.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, before, after)));
        return Write();
    }

    private ImmutableArray<NftChange> Write()
    {
        var written = ImmutableArray<NftChange>.Empty;
        do
        {
            enforcement.Write(table.For(enforcement));
            written = written.AddRange(table.Take());
        }
        while (enforcement.IsToBeSwept);
        return written;
    }

    /// <summary>Into pods, beside that of the one that stays.</summary>
    private int ProgramsThere => table.Chains.Keys.Count(name => name.StartsWith("pol-to-", StringComparison.Ordinal)) - 1;

    /// <summary>The kernel lets no counter go that a rule counts by, and what stays for packets on their way has rules that do.</summary>
    [Fact]
    public void Where_policy_is_switched_off_counters_go_with_the_last_rule_that_counts_by_them()
    {
        Change(null, Job(0));
        enforcement.Apply(new DataplaneChange.Configured(On with { Policy = new() { Enabled = false } }));
        var removed = 0;
        do
        {
            enforcement.Write(table.For(enforcement));
            var gone = table.Take().OfType<NftChange.RemoveCounter>().Select(one => one.Name).ToHashSet();
            var counted = table.Chains.Values.SelectMany(chain => chain.Rules).SelectMany(rule => rule.Statements).OfType<ActCountBy>();
            Assert.DoesNotContain(counted, one => gone.Contains(one.Counter));
            removed += gone.Count;
        }
        while (enforcement.IsToBeSwept);
        Assert.True(removed >= Enum.GetValues<Denial>().Length, $"{removed} counters went");
        Assert.Empty(table.Chains);
    }

    [Fact]
    public void The_next_pod_that_is_asked_the_same_costs_no_chain_and_after_a_while_it_does()
    {
        Assert.Contains(Change(null, Job(0)), change => change is NftChange.PutChain);
        Assert.DoesNotContain(Change(Job(0), null), change => change is NftChange.RemoveChain);
        Assert.DoesNotContain(Change(null, Job(0, run: 1)), change => change is NftChange.PutChain or NftChange.PutSet);
        Assert.Null(enforcement.Due);
        Change(Job(0, run: 1), null);
        Assert.Equal(Programs.KeptFor, enforcement.Due);
        clock.Advance(Programs.KeptFor - TimeSpan.FromSeconds(1));
        Assert.False(enforcement.Look());
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(enforcement.Look());
        Assert.Contains(Write(), change => change is NftChange.RemoveChain);
        Assert.Equal((0, null), (ProgramsThere, enforcement.Due));
        Assert.Contains(Change(null, Job(0, run: 2)), change => change is NftChange.PutChain);
    }

    [Fact]
    public void Few_stay_and_the_newest()
    {
        const int more = Programs.MostKept;
        for (var job = 1; job <= more; job++) Change(null, Policy($"job-{job}"));
        for (var job = 0; job <= more; job++)
        {
            Change(null, Job(job));
            Change(Job(job), null);
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }
        Assert.Equal(Programs.MostKept, ProgramsThere);
        Assert.DoesNotContain(Change(null, Job(more, run: 1)), change => change is NftChange.PutChain);
        Assert.Contains(Change(null, Job(0, run: 1)), change => change is NftChange.PutChain);
    }

    [Fact]
    public void Who_would_be_asked_otherwise_by_now_finds_nothing_of_before()
    {
        Change(null, Job(0));
        Change(Job(0), null);
        Assert.Equal(1, ProgramsThere);
        Change(Policy("job-0"), null);
        Assert.Equal(0, ProgramsThere);
        Assert.DoesNotContain(table.Chains.Keys, name => name.StartsWith("pol-in-", StringComparison.Ordinal)
            && table.Chains[name].Rules.Any(rule => rule.ToString().Contains("job-0", StringComparison.Ordinal)));

        // With the pod that it selects.
        Change(null, Policy("job-0"));
        Change(null, Job(0));
        enforcement.Apply(new DataplaneChange.Object(new(Kinds.Pod, Job(0).Key, Job(0), null)));
        Change(Policy("job-0"), null);
        Assert.Equal(0, ProgramsThere);

        // One that is left because policies are others.
        Change(null, Job(0));
        Change(null, Policy("job-0"));
        Assert.Equal(1, ProgramsThere);
    }

    [Fact]
    public void Nothing_stays_where_policy_is_off()
    {
        Change(Job(1000), null);
        Assert.NotNull(enforcement.Due);
        enforcement.Apply(new DataplaneChange.Configured(On with { Policy = new() { Enabled = false } }));
        Write();
        Assert.Equal("", table.Text);
    }

    /// <summary>By interface and place: the chain that a packet gets to.</summary>
    private static SortedDictionary<string, string> Led(WrittenTable of)
    {
        var led = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, map) in of.Sets.Where(one => one.Key.StartsWith(Dispatch.Prefix, StringComparison.Ordinal)))
        {
            var place = name[Dispatch.Prefix.Length..];
            var chains = of.Sets[Dispatch.NumbersPrefix + place].Elements.ToDictionary(one => one.From.ToString(), one => one.Value);
            foreach (var element in map.Elements)
            {
                // Behind four octets of the value is the key of the other map.
                var number = new NftOctets(((NftData)element.Value!).Octets.Span[sizeof(uint)..].ToArray());
                var chain = ((NftVerdict)chains[number.ToString()]!).Chain!;
                led[$"{place} {element.From}"] = $"{chain}: {string.Join("; ", of.Chains[chain].Rules)}";
                var others = of.Chains[chain].Rules.SelectMany(rule => rule.Statements).OfType<ActDecide>()
                    .Select(act => act.Verdict.Chain).OfType<string>();
                foreach (var other in others) led[other] = string.Join("; ", of.Chains[other].Rules);
            }
        }
        return led;
    }

    [Fact]
    public void Whatever_has_come_and_gone_each_pod_is_asked_what_it_would_be_anew()
    {
        var random = new Random(7);
        var (pods, policies) = (new Dictionary<int, Pod>(), new Dictionary<int, NetworkPolicy> { [0] = Policy("job-0") });
        for (var step = 0; step < 600; step++)
        {
            for (var some = random.Next(1, 4); some > 0; some--) Any();
            Write();
            if (random.Next(3) == 0) clock.Advance(TimeSpan.FromSeconds(random.Next(200)));
            if (enforcement.Look()) Write();
            var (anew, fresh) = (new Enforcement(() => QueueWay.Expression), new WrittenTable());
            anew.Apply(new DataplaneChange.Configured(On));
            Resource[] all = [new Tier(new Metadata("default")) { Order = 1_000_000 }, new KubernetesNamespace(new Metadata("default")),
                Job(1000), .. pods.Values, .. policies.Values];
            foreach (var change in Plans.Come(all)) anew.Apply(new DataplaneChange.Object(change));
            anew.Write(fresh.For(anew));
            fresh.Take();
            Assert.Equal(Led(fresh), Led(table));
        }

        void Any()
        {
            var at = random.Next(5);
            if (random.Next(2) == 0)
            {
                var before = pods.GetValueOrDefault(at);
                var labels = Job(random.Next(5)).Labels;
                var after = random.Next(3) == 0 ? null : Job(at) with { Metadata = Job(at).Metadata with { Labels = labels } };
                if (after == null) pods.Remove(at);
                else pods[at] = after;
                if (before != null || after != null) Tell(before, after);
            }
            else
            {
                var before = policies.GetValueOrDefault(at);
                var after = random.Next(3) == 0 ? null : Policy($"job-{at}");
                if (after != null && random.Next(2) == 0)
                    after = after with { Spec = after.Spec with { Types = PolicyTypes.Egress, Ingress = [] } };
                if (after == null) policies.Remove(at);
                else policies[at] = after;
                if (before != null || after != null) Tell(before, after);
            }
        }

        void Tell(Resource? before, Resource? after)
        {
            var one = (before ?? after)!;
            enforcement.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, before, after)));
        }
    }
}
