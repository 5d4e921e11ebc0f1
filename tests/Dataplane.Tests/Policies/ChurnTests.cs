using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>
/// Ten thousand endpoints come, change and go, with all that selects them and that they are in: nothing hangs on the enforcement
/// afterwards that did not hang on it after the first of them.
/// </summary>
public sealed class ChurnTests
{
    /// <summary>In each round other pods, namespaces and policies than in any before.</summary>
    private const int Rounds = 40, Pods = 250, Here = 25, Warm = 2;

    private static readonly DataplaneSettings On = new("node1", Policy: new() { Enabled = true, AutomaticHostEndpoints = true });

    private static readonly Resource[] Staying =
    [
        new Tier(new Metadata("default")) { Order = 1_000_000 }, new KubernetesNamespace(new Metadata("default")), Machine("node1", 1),
        Pod("stays", 0, 1, "node1"), Policy("stays", "app == 'stays'", new RuleEntity { In = Selector.Parse("has(n)") }),
    ];

    private static Labels Of(params (string Key, string Value)[] pairs) =>
        Labels.From(pairs.Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));

    private static Node Machine(string name, uint number)
    {
        var address = Address.FromIPv4(0xac100000u + number);
        return new(new Metadata(name)) { IPv4 = new(address, new Prefix(address, 24)) };
    }

    private static Pod Pod(string app, int round, int number, string node, bool edited = false) =>
        new(new Metadata($"{app}-{round}-{number}", $"space-{round}")
        {
            Labels = Of(("app", app), ("n", $"n{number % 10}"), ($"round-{round}", edited ? "late" : "early")),
        })
        {
            Node = node,
            Nets =
            [
                new Prefix(Address.FromIPv4(0x0a000000u + (uint)((round * 512) + number + (edited ? 256 : 0))), 32),
                Prefix.Parse($"fd00::{round:x}:{number:x}/128"),
            ],
            Profiles = [$"kns.space-{round}", $"ksa.space-{round}.default"],
            Ports = [new NamedPort("http", 6, 8080)],
            AllowedSpoofedPrefixes = number % 50 == 0 ? [Prefix.Parse("192.0.2.0/24")] : [],
        };

    private static PolicyRule Allow(RuleEntity from) => new() { Action = RuleAction.Allow, Protocol = 6, Source = from };

    private static NetworkPolicy Policy(string name, string selector, params ListOf<RuleEntity> from) =>
        new(new Metadata(name, "default"))
        {
            Spec = new()
            {
                Tier = "default",
                AppliesTo = Selector.Parse(selector),
                Types = PolicyTypes.Ingress | PolicyTypes.Egress,
                WorkloadsOnly = true,
                Ingress = [.. from.Select(Allow), new PolicyRule { Action = RuleAction.Log }],
                Egress =
                [
                    new PolicyRule
                    {
                        Action = RuleAction.Allow,
                        Protocol = 6,
                        Destination = new() { In = Selector.All, Ports = [new PortMatch(0, 0, "http")] },
                    },
                    Allow(RuleEntity.Any) with { Destination = new() { Service = new("default", name) } },
                    Allow(RuleEntity.Any) with { Destination = new() { In = RuleEntity.Nobody, Domains = Names($"{name}.example.org") } },
                ],
            },
        };

    private static ListOf<DomainPattern> Names(string name) =>
        DomainPattern.TryParse(name, out var pattern, out _) ? [pattern] : throw new ArgumentException(name);

    /// <summary>All but pods.</summary>
    private static IEnumerable<Resource> Around(int round)
    {
        yield return new KubernetesNamespace(new Metadata($"space-{round}") { Labels = Of(($"team-{round}", "red")) });
        yield return new ServiceAccount(new Metadata("default", $"space-{round}"));
        yield return new Tier(new Metadata($"tier-{round}")) { Order = round };
        yield return Machine($"other-{round}", (uint)round + 10);
        yield return new HostEndpoint(new Metadata($"host-{round}"))
        {
            Node = "node1",
            Interface = $"eth{round}",
            ExpectedIPs = [Address.Parse($"172.30.0.{round}")],
        };
        for (var n = 0; n < 10; n++)
        {
            var policy = Policy($"policy-{round}-{n}", $"n == 'n{n}' && has(round-{round})", new() { In = Selector.Parse($"n == 'n{n}'") },
                new() { In = Selector.Parse($"round-{round} == 'late'") }, new() { In = Selector.Parse($"net == 'net-{round}'") },
                new() { Nets = [Prefix.Parse($"198.51.{round}.0/24")] });
            yield return policy with { Spec = policy.Spec with { Tier = n % 2 == 0 ? "default" : $"tier-{round}" } };
            yield return new EndpointSlice(new Metadata($"slice-{n}", "default")
            {
                Labels = Of((EndpointSlice.ServiceNameLabel, $"policy-{round}-{n}")),
            })
            {
                Endpoints = [new([Address.Parse($"10.0.{round}.{n}")], true, null, null, null, null)],
                Ports = [new("", ServiceProtocol.TCP, 8080, 0)],
            };
        }
        for (var n = 0; n < 3; n++)
            yield return new GlobalNetworkSet(new Metadata($"set-{round}-{n}") { Labels = Of(("net", $"net-{round}")) })
            {
                Nets = [Prefix.Parse($"100.64.{round}.0/{24 - n}"), Prefix.Parse($"100.64.{round}.{n}/32"), Prefix.Parse("100.65.0.0/16")],
            };
        yield return new GlobalNetworkPolicy(new Metadata($"host-{round}"))
        {
            Spec = new()
            {
                Tier = "default",
                Types = PolicyTypes.Ingress,
                PreDnat = true,
                ApplyOnForward = true,
                Ingress = [Allow(RuleEntity.Any)],
            },
        };
    }

    /// <summary>What the dataplane's loop does with it.</summary>
    private sealed class Turns(DataplaneSettings settings, bool othersWrite, TimeProvider? clock = null)
    {
        private readonly Enforcement enforcement = new(() => QueueWay.Expression, clock);
        private readonly WrittenTable table = new();
        private bool writes;

        public Enforcement Enforcement => enforcement;

        public WrittenTable Table => table;

        public void Configure(DataplaneSettings newest)
        {
            writes = newest.IsOn || othersWrite;
            enforcement.Apply(new DataplaneChange.Configured(newest));
            Write();
        }

        public void Begin() => Configure(settings);

        public void Change(Resource? before, Resource? after)
        {
            var one = (before ?? after)!;
            enforcement.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, before, after)));
        }

        public void Write()
        {
            if (!enforcement.Look()) return;
            if (writes)
                do
                {
                    enforcement.TakeCome();
                    enforcement.Write(table.For(enforcement));
                    enforcement.TakeScope(table.Take());
                }
                while (enforcement.IsToBeSwept);
            enforcement.InForce();
        }
    }

    private static void Round(Turns turns, int round)
    {
        var random = new Random(round);
        Pod[] pods = [.. Enumerable.Range(0, Pods).Select(n => Pod("churn", round, n, n < Here ? "node1" : "node2"))];
        Resource[] come = [.. pods, .. Around(round)];
        random.Shuffle(come);
        Each(come, one => turns.Change(null, one));
        Pod[] edited = [.. pods.Select((_, n) => Pod("churn", round, n, n < Here / 2 ? "node1" : "node2", edited: n % 3 == 0))];
        Each(pods.Zip(edited).ToArray(), pair => turns.Change(pair.First, pair.Second));
        Resource[] going = [.. edited, .. come.Where(one => one is not Calico.Bgp.Resources.Policies.Pod)];
        random.Shuffle(going);
        Each(going, one => turns.Change(one, null));

        void Each<T>(T[] all, Action<T> change)
        {
            foreach (var some in all.Chunk(40))
            {
                foreach (var one in some) change(one);
                turns.Write();
            }
        }
    }

    private static readonly DataplaneSettings Off = On with { Policy = new() { Enabled = false } };

    public static TheoryData<string> Ways => ["on", "on, and programs stay", "off", "off, and others write"];

    [Theory]
    [MemberData(nameof(Ways))]
    public void Of_ten_thousand_endpoints_that_came_and_went_nothing_is_kept(string way)
    {
        var clock = new ManualTimeProvider();
        var turns = new Turns(way.StartsWith("on", StringComparison.Ordinal) ? On : Off, way != "off",
            way == "on, and programs stay" ? clock : null);
        turns.Begin();
        foreach (var one in Staying) turns.Change(null, one);
        turns.Write();
        var written = turns.Table.Text;
        var before = new SortedDictionary<string, int>();
        for (var round = 0; round < Rounds; round++)
        {
            Round(turns, round);
            if (round == Warm) before = Reachable.From(turns.Enforcement);
        }
        clock.Advance(Programs.KeptFor);
        turns.Write();
        NothingMore(before, Reachable.From(turns.Enforcement), Rounds - Warm);
        Assert.Equal(written, turns.Table.Text);
    }

    /// <summary>Lists that are used again and again are longer at times; what stays of each round is as many as there were
    /// rounds.</summary>
    private static void NothingMore(IReadOnlyDictionary<string, int> before, IReadOnlyDictionary<string, int> after, int rounds) =>
        Assert.Empty(after.Where(one => one.Value >= before.GetValueOrDefault(one.Key) + rounds - 1)
            .Select(one => $"{one.Key}: {before.GetValueOrDefault(one.Key)}, then {one.Value}"));

    [Fact]
    public void What_is_switched_off_and_on_again_keeps_nothing_of_what_was()
    {
        var turns = new Turns(On, othersWrite: true);
        turns.Begin();
        foreach (var one in Staying) turns.Change(null, one);
        turns.Write();
        var written = turns.Table.Text;
        var before = Switched();
        var after = before;
        for (var turn = 0; turn < 10; turn++) after = Switched();
        NothingMore(before, after, 10);
        Assert.Equal(written, turns.Table.Text);

        SortedDictionary<string, int> Switched()
        {
            Round(turns, 1);
            turns.Configure(Off);
            Assert.Equal("", turns.Table.Text);
            Round(turns, 2);
            turns.Configure(On);
            return Reachable.From(turns.Enforcement);
        }
    }
}
