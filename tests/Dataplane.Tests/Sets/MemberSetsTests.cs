using Calico.Bgp.Dataplane.Sets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.Sets;

public class MemberSetsTests
{
    private const string Namespace = "projectcalico.org/namespace";

    /// <summary>The sets, what the table would have by all that they wrote, and the objects, by which the same is known naively.</summary>
    private sealed class Watched
    {
        private readonly Dictionary<ResourceId, Resource> objects = [];
        private readonly TableWriter table = new();
        private readonly Dictionary<(Selector, IpFamily), MemberSetNames> known = [];

        public Watched() => Sets.NetsChanged += (selector, family) => known[(selector, family)] = Sets.Names(selector, family);

        public MemberSets Sets { get; } = new();
        public List<(Selector Selector, IpFamily Family)> Selectors { get; } = [];
        public List<NamedPortMembers> Ports { get; } = [];
        public List<ServiceMembers> Services { get; } = [];

        /// <summary>By the name of the set.</summary>
        public SortedDictionary<string, SortedSet<string>> Written { get; } = new(StringComparer.Ordinal);

        public int Elements { get; private set; }

        public void Put(Resource now) => Apply(new(now.Kind, now.Key, objects.GetValueOrDefault(now.Id), now));

        public void Remove(ResourceId id) => Apply(new(id.Kind, id.Key, objects.GetValueOrDefault(id), null));

        private void Apply(ResourceChange change)
        {
            if (change.After is { } after) objects[after.Id] = after;
            else if (!objects.Remove(new(change.Kind, change.Key))) return;
            Sets.Apply(change);
        }

        public void Use(Selector selector, IpFamily family)
        {
            known[(selector, family)] = Sets.Use(selector, family);
            Selectors.Add((selector, family));
        }

        public void Use(NamedPortMembers ports)
        {
            Sets.Use(ports);
            Ports.Add(ports);
        }

        public void Use(ServiceMembers service)
        {
            Sets.Use(service);
            Services.Add(service);
        }

        public void ReleaseOldest()
        {
            if (Selectors.Count > 0)
            {
                Sets.Release(Selectors[0].Selector, Selectors[0].Family);
                Selectors.RemoveAt(0);
            }
            if (Ports.Count > 0)
            {
                Sets.Release(Ports[0]);
                Ports.RemoveAt(0);
            }
            if (Services.Count > 0)
            {
                Sets.Release(Services[0]);
                Services.RemoveAt(0);
            }
        }

        /// <summary>Of a set an element is put that is not there, and removed that is.</summary>
        public void Write()
        {
            Sets.Write(new PartsWriter("pol", table));
            foreach (var change in table.Take())
                switch (change)
                {
                    case NftChange.PutSet(var set):
                        Written[set.Name] = [.. set.Elements.Select(Text)];
                        Assert.Equal(set.Elements.Length, Written[set.Name].Count);
                        break;
                    case NftChange.RemoveSet(var name): Assert.True(Written.Remove(name), name); break;
                    case NftChange.PutElements(var name, var elements):
                        foreach (var element in elements) Assert.True(Written[name].Add(Text(element)), $"{name}: {element} is there");
                        Elements += elements.Length;
                        break;
                    case NftChange.RemoveElements(var name, var elements):
                        foreach (var element in elements) Assert.True(Written[name].Remove(Text(element)), $"{name}: no {element}");
                        Elements += elements.Length;
                        break;
                    default: throw new InvalidOperationException(change.ToString());
                }
        }

        private static string Text(NftElement element) => element.ToString();

        /// <summary>What is written is what a naive look at all objects would write, and what one who comes new writes.</summary>
        public void Check()
        {
            Write();
            var naive = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
            foreach (var (selector, family) in Selectors)
            {
                var names = Sets.Names(selector, family);
                Assert.Equal(names, known[(selector, family)]);
                var all = Members(selector).SelectMany(NetsOf).Where(net => net.Family == family).ToArray();
                naive[names.Hosts] = [.. all.Where(net => net.IsHost).Select(net => Text(NftElement.Of(NftOctets.Of(net.Address))))];
                Prefix[] nets = [.. all.Where(net => !net.IsHost).SelectMany(MemberNets.Halves).Distinct()];
                Prefix[] shown = [.. nets.Where(net => !nets.Any(other => other != net && other.Contains(net)))];
                Assert.Equal(nets.Length > 0, names.Nets != null);
                if (names.Nets != null) naive[names.Nets] = [.. shown.Select(net => Text(NftElement.Of(net)))];
                Assert.DoesNotContain(shown, net => shown.Any(other => other != net && (other.Contains(net) || net.Contains(other))));
            }
            foreach (var wanted in Ports)
            {
                var name = Sets.Use(wanted);
                Sets.Release(wanted);
                naive[name] =
                [
                    .. from member in Members(wanted.Selector ?? Selector.All)
                       from port in PortsOf(member)
                       where port.Name == wanted.Port
                       from protocol in port.Protocol == null ? (byte[])[6, 17, 132] : [port.Protocol.Value]
                       where wanted.Protocol == null || wanted.Protocol == protocol
                       from net in NetsOf(member)
                       where net.IsHost && net.Family == wanted.Family
                       select Text(NftElement.Of(
                           NftOctets.Of(NftOctets.Of(net.Address), new NftOctets([protocol]), NftOctets.Of(port.Port)))),
                ];
            }
            foreach (var wanted in Services)
            {
                var name = Sets.Use(wanted);
                Sets.Release(wanted);
                naive[name] =
                [
                    .. from slice in objects.Values.OfType<EndpointSlice>()
                       where slice.Service == wanted.Service
                       from endpoint in slice.Endpoints
                       from address in endpoint.Addresses
                       where address.Family == wanted.Family
                       from key in wanted.WithPorts
                           ? slice.Ports.Select(port =>
                               NftOctets.Of(NftOctets.Of(address), new NftOctets([6]), NftOctets.Of((ushort)port.Port)))
                           : [NftOctets.Of(address)]
                       select Text(NftElement.Of(key)),
                ];
            }
            Assert.Equal(Print(naive), Print(Written));
            Assert.Equal(Print(FromScratch()), Print(Written));
        }

        private SortedDictionary<string, SortedSet<string>> FromScratch()
        {
            var other = new Watched();
            other.Sets.AutomaticHostEndpoints = Sets.AutomaticHostEndpoints;
            foreach (var (selector, family) in Selectors) other.Use(selector, family);
            foreach (var one in objects.Values.Reverse()) other.Put(one);
            foreach (var ports in Ports) other.Use(ports);
            foreach (var service in Services) other.Use(service);
            other.Write();
            return other.Written;
        }

        private static string Print(SortedDictionary<string, SortedSet<string>> sets) =>
            string.Join('\n', sets.Select(set => $"{set.Key}: {string.Join(", ", set.Value)}"));

        private IEnumerable<Resource> Members(Selector selector)
        {
            var all = objects.Values.AsEnumerable();
            if (Sets.AutomaticHostEndpoints)
                all = all.Concat(objects.Values.OfType<Node>()
                    .Where(node => !objects.ContainsKey(new(Kinds.HostEndpoint, new($"{node.Name}-auto-hep")))).Select(Automatic));
            return all.Where(one => NetsOf(one).Any() && selector.Matches(Effective(one)));
        }

        private static HostEndpoint Automatic(Node node) => new(new Metadata($"{node.Name}-auto-hep")
        {
            Labels = node.Labels.With(Labels.From([new("projectcalico.org/created-by", "calico-kube-controllers")])),
        })
        { ExpectedIPs = [node.IPv4!.Address] };

        private Labels Effective(Resource one)
        {
            var names = one switch
            {
                Pod pod => pod.Profiles,
                WorkloadEndpoint endpoint => endpoint.Profiles,
                HostEndpoint host => host.Profiles,
                NetworkSet set => [set.Profile],
                _ => [],
            };
            return names.Reverse().Aggregate(Labels.Empty, (all, name) => all.With(Inherited(name))).With(one.Labels);
        }

        private Labels Inherited(string name) =>
            objects.TryGetValue(new(Kinds.Profile, new(name)), out var profile) ? ((Profile)profile).LabelsToApply
                : objects.TryGetValue(new(Kinds.KubernetesNamespace, new(name["kns.".Length..])), out var given)
                    ? ((KubernetesNamespace)given).Profile.LabelsToApply : Labels.Empty;

        private static IEnumerable<Prefix> NetsOf(Resource one) => one switch
        {
            Pod { IsHostNetwork: false, Node: not null } pod => pod.Nets,
            WorkloadEndpoint endpoint => endpoint.Nets,
            HostEndpoint host => host.ExpectedIPs.Select(address => new Prefix(address, address.Family.Bits())),
            NetworkSet set => set.Nets,
            GlobalNetworkSet set => set.Nets,
            _ => [],
        };

        private static ListOf<NamedPort> PortsOf(Resource one) => one switch
        {
            Pod pod => pod.Ports,
            WorkloadEndpoint endpoint => endpoint.Ports,
            HostEndpoint host => host.Ports,
            _ => [],
        };
    }

    private static readonly string[] SomeHosts = ["10.0.0.1/32", "10.0.0.2/32", "10.1.0.1/32", "fd00::1/128", "fd00::2/128"];
    private static readonly string[] SomeNets =
        ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/24", "10.1.0.0/16", "10.0.0.0/31",
            "192.168.0.0/16", "::/0", "fd00::/8", "fd00::/64", "fd00:0:0:1::/64", "fd00::/127"];

    private static readonly Gen<Labels> SomeLabels =
        from pairs in Gen.Zip(Gen.Elements("a", "b"), Gen.Elements("x", "y", "xy")).ListOf()
        select Labels.From(pairs.Take(2).Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2)));

    private static Gen<ListOf<Prefix>> Some(params string[] of) =>
        from some in Gen.SubListOf(of)
        from turned in Gen.Elements(true, false)
        select (ListOf<Prefix>)[.. (turned ? Enumerable.Reverse(some) : some).Select(Prefix.Parse)];

    private static readonly Gen<ListOf<NamedPort>> SomePorts =
        from ports in Gen.SubListOf<NamedPort>([new("http", 6, 80), new("http", 6, 8080), new("http", null, 80), new("dns", 17, 53)])
        select (ListOf<NamedPort>)[.. ports];

    private static readonly Gen<Resource> AnyObject = Gen.Frequency(
        (4, from name in Gen.Elements("p1", "p2", "p3")
            from within in Gen.Elements("one", "two")
            from labels in SomeLabels
            from nets in Some(SomeHosts)
            from ports in SomePorts
            from isHostNetwork in Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true)))
            select (Resource)new Pod(new Metadata(name, within) { Labels = labels.With(Labels.From([new(Namespace, within)])) })
            {
                Node = "node1",
                Nets = nets,
                Ports = ports,
                Profiles = [$"kns.{within}"],
                IsHostNetwork = isHostNetwork,
            }),
        (1, from name in Gen.Elements("w1", "p1")
            from labels in SomeLabels
            from nets in Some(SomeHosts)
            from ports in SomePorts
            select (Resource)new WorkloadEndpoint(new Metadata(name, "one") { Labels = labels })
            { Nets = nets, Ports = ports, Profiles = ["kns.two", "kns.one"] }),
        (1, from name in Gen.Elements("host1", "node1-auto-hep")
            from labels in SomeLabels
            from ips in Some(SomeHosts)
            from ports in SomePorts
            select (Resource)new HostEndpoint(new Metadata(name) { Labels = labels })
            { ExpectedIPs = [.. ips.Select(ip => ip.Address)], Ports = ports, Profiles = ["kns.one"] }),
        (1, from name in Gen.Elements("node1", "node2")
            from labels in SomeLabels
            from ip in Gen.Elements("10.0.0.1", "10.9.9.9")
            select (Resource)new Node(new Metadata(name) { Labels = labels })
            { IPv4 = new(Address.Parse(ip), new(Address.Parse(ip), 24)) }),
        (4, from name in Gen.Elements("n1", "n2")
            from within in Gen.Elements("one", "two")
            from labels in SomeLabels
            from nets in Some([.. SomeNets, .. SomeHosts])
            select (Resource)new NetworkSet(new Metadata(name, within) { Labels = labels }) { Nets = nets }),
        (4, from name in Gen.Elements("g1", "g2", "g3")
            from labels in SomeLabels
            from nets in Some([.. SomeNets, .. SomeHosts])
            select (Resource)new GlobalNetworkSet(new Metadata(name) { Labels = labels }) { Nets = nets }),
        (2, from name in Gen.Elements("one", "two")
            from labels in SomeLabels
            select (Resource)new KubernetesNamespace(new Metadata(name) { Labels = labels })),
        (1, from labels in SomeLabels
            select (Resource)new Profile(new Metadata("kns.one")) { LabelsToApply = labels }),
        (2, from name in Gen.Elements("web-1", "web-2")
            from service in Gen.Elements("web", "other")
            from ips in Some(SomeHosts)
            from ports in Gen.SubListOf(80, 443)
            select (Resource)new EndpointSlice(
                new Metadata(name, "one") { Labels = Labels.From([new(EndpointSlice.ServiceNameLabel, service)]) })
            {
                Endpoints = [.. ips.Select(ip => new Endpoint([ip.Address], null, null, null, null, null))],
                Ports = [.. ports.Select(port => new ServicePort("", ServiceProtocol.TCP, port, 0))],
            }));

    private static readonly Gen<Selector> AnySelector = Gen.Elements(
        "all()", "a == 'x'", "a != 'x'", "has(b)", "!has(b)", "a in {'x', 'xy'} && has(b)", "projectcalico.org/namespace == 'one'",
        "has(pcns.a)", "pcns.projectcalico.org/name == 'two' || b == 'y'").Select(Selector.Parse);

    private static readonly Gen<IpFamily> AnyFamily = Gen.Elements(IpFamily.IPv4, IpFamily.IPv6);

    /// <summary>What is done, in words for who reads of a failure.</summary>
    private sealed record Step(string Words, Action<Watched> Do)
    {
        public override string ToString() => Words;
    }

    private static readonly Gen<Step> AnyStep = Gen.Frequency(
        (12, from one in AnyObject select new Step($"put {one}", watched => watched.Put(one))),
        (4, from one in AnyObject select new Step($"remove {one.Id}", watched => watched.Remove(one.Id))),
        (4, from selector in AnySelector
            from family in AnyFamily
            select new Step($"use {selector} {family}", watched => watched.Use(selector, family))),
        (1, from selector in AnySelector.OrNull()
            from port in Gen.Elements("http", "dns")
            from protocol in Gen.Elements<byte?>(6, 17, null)
            from family in AnyFamily
            let ports = new NamedPortMembers(selector, port, protocol, family)
            select new Step($"use {ports}", watched => watched.Use(ports))),
        (1, from service in Gen.Elements("web", "other")
            from withPorts in Gen.Elements(true, false)
            from family in AnyFamily
            let members = new ServiceMembers(new("one", service), withPorts, family)
            select new Step($"use {members}", watched => watched.Use(members))),
        (1, Gen.Constant(new Step("release", watched => watched.ReleaseOldest()))),
        (1, Gen.Constant(new Step("turn", watched => watched.Sets.AutomaticHostEndpoints = !watched.Sets.AutomaticHostEndpoints))),
        (3, Gen.Constant(new Step("check", watched => watched.Check()))));

    [Fact]
    public void What_is_written_step_by_step_is_what_a_naive_look_at_all_would_write() => Prop.ForAll(
        AnyStep.ListOf(60).ToArbitrary(), steps =>
        {
            var watched = new Watched();
            foreach (var step in steps) step.Do(watched);
            watched.Check();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static Pod Pod(int n, string app) => new(new Metadata($"pod{n}", "one") { Labels = Labels.From([new("app", app)]) })
    {
        Node = "node1",
        Nets = [new(Address.FromIPv4(0x0a000000 + (uint)n), 32)],
    };

    [Fact]
    public void A_pod_writes_its_own_elements_and_nothing_else()
    {
        var watched = new Watched();
        for (var n = 0; n < 100; n++) watched.Use(Selector.Parse($"app == 'app{n / 2}' || app == 'other{n}'"), IpFamily.IPv4);
        for (var n = 0; n < 1000; n++) watched.Put(Pod(n, $"app{n % 100}"));
        watched.Check();
        Assert.Equal(0, watched.Elements);
        watched.Put(Pod(1000, "app7"));
        watched.Check();
        Assert.Equal(2, watched.Elements);
    }

    [Fact]
    public void What_comes_and_goes_before_anything_is_written_is_never_said()
    {
        var watched = new Watched();
        watched.Use(Selector.Parse("has(app)"), IpFamily.IPv4);
        watched.Check();
        watched.Put(Pod(1, "a"));
        watched.Remove(Pod(1, "a").Id);
        watched.Check();
        Assert.Equal(0, watched.Elements);
    }

    [Fact]
    public void An_address_of_two_who_cease_to_match_at_once_is_removed_once()
    {
        var watched = new Watched();
        watched.Use(Selector.Parse("!has(pcns.closed)"), IpFamily.IPv4);
        foreach (var name in (string[])["n1", "n2"])
            watched.Put(new NetworkSet(new Metadata(name, "one")) { Nets = [Prefix.Parse("10.0.0.1/32"), Prefix.Parse("10.0.0.0/8")] });
        watched.Check();
        watched.Put(new KubernetesNamespace(new Metadata("one") { Labels = Labels.From([new("closed", "")]) }));
        watched.Check();
        Assert.Equal(1, watched.Elements);
    }

    [Fact]
    public void No_selector_and_one_of_all_are_the_same_set()
    {
        var watched = new Watched();
        watched.Use(new NamedPortMembers(null, "http", 6, IpFamily.IPv4));
        watched.Use(new NamedPortMembers(Selector.All, "http", 6, IpFamily.IPv4));
        watched.ReleaseOldest();
        watched.Check();
        Assert.Single(watched.Written);
    }

    [Fact]
    public void Names_follow_from_what_the_set_is_of()
    {
        var (one, other) = (new MemberSets(), new MemberSets());
        other.Use(Selector.Parse("b == 'y'"), IpFamily.IPv4);
        Assert.Equal(one.Use(Selector.Parse("a=='x'"), IpFamily.IPv6), other.Use(Selector.Parse("a == \"x\""), IpFamily.IPv6));
        Assert.NotEqual(one.Use(Selector.All, IpFamily.IPv6), one.Use(Selector.All, IpFamily.IPv4));
    }
}
