using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>One translation → elements of the shared maps. The same translation gives the same elements on every node.</summary>
internal static class TranslationRenderer
{
    /// <summary>What conntrack tells apart by ports; with pings, all that "any protocol" takes.</summary>
    private static readonly IpProtocol[] Ported = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp, IpProtocol.UdpLite];

    /// <summary>A backend whose places have addresses.</summary>
    private readonly record struct Known(
        Address To, ushort? ToPort, Address? From, ushort? FromPort, int Weight, bool IsHere, bool IsElsewhere)
    {
        public static int InOrder(Known a, Known b)
        {
            var order = a.To.CompareTo(b.To);
            if (order == 0) order = Nullable.Compare(a.ToPort, b.ToPort);
            if (order == 0) order = Nullable.Compare(a.From, b.From);
            if (order == 0) order = Nullable.Compare(a.FromPort, b.FromPort);
            if (order == 0) order = a.Weight.CompareTo(b.Weight);
            if (order == 0) order = a.IsHere.CompareTo(b.IsHere);
            return order != 0 ? order : a.IsElsewhere.CompareTo(b.IsElsewhere);
        }

        public override string ToString() => $"{To} {ToPort} {From} {FromPort}";
    }

    /// <summary>What one translation wants, as it is put together.</summary>
    /// <param name="backends">So many it has: most have one protocol, and of each backend one element and its flows.</param>
    private sealed class Making(int backends, IpFamily family)
    {
        private const int BesideBackends = 3, OfKey = 2 * sizeof(uint), OfEnd = 4 * sizeof(uint);

        /// <summary>A front, an address, and of each backend a key and a value.</summary>
        public OctetRoom Room { get; } = new((family.Octets() * 2) + OfKey + (backends * ((family.Octets() * 2) + OfEnd)));

        public ImmutableArray<(string, NftElement)>.Builder Elements { get; } =
            ImmutableArray.CreateBuilder<(string, NftElement)>(backends + BesideBackends);
        public ImmutableArray<(string, NftOctets)>.Builder Fronts { get; } = ImmutableArray.CreateBuilder<(string, NftOctets)>(1);

        /// <summary>None, as of nearly all.</summary>
        public ImmutableArray<NftSet> Sets { get; set; } = [];

        /// <summary>One, which many share, as of nearly all.</summary>
        public ImmutableArray<NftChain> Chains { get; private set; } = [];

        public ImmutableArray<BackendFlows>.Builder Flows { get; } = ImmutableArray.CreateBuilder<BackendFlows>(backends);

        /// <summary>Null: none, as of nearly all.</summary>
        public HashSet<NftTimeout>? Timeouts { get; set; }

        public string? Digest { get; set; }

        /// <summary>Null: nothing, as of nearly all.</summary>
        public List<string>? Lacks { get; set; }

        public void Add(string map, NftElement element) => Elements.Add((map, element));

        public void Add(ImmutableArray<NftChain> chain) => Chains = Chains.IsEmpty ? chain : Chains.AddRange(chain);

        public void AddFront(string map, NftOctets key, NftVerdict verdict)
        {
            Fronts.Add((map, key));
            Add(map, NftElement.Of(key, verdict));
        }

        public Wishes Made(Address? served, Address? nobodys) => new(
            Elements.DrainToImmutable(), Sets, Chains, Flows.DrainToImmutable())
        {
            Fronts = Fronts.DrainToImmutable(),
            Timeouts = Timeouts == null ? [] : [.. Timeouts],
            Digest = Digest,
            Lacks = Lacks == null ? [] : [.. Lacks.Distinct()],
            Served = served,
            Nobodys = nobodys,
        };
    }

    /// <returns>Nothing where the translation's own place has no address; what is missing is said then.</returns>
    public static (Wishes Wishes, string? Missing) Render(Translation translation, ServiceSettings settings, Places places)
    {
        if (places.Of(translation.Key.Place) is not { } front)
            return (Wishes.None, places.Lacks(translation.Key.Place));
        var backends = Of(translation.Backends, places);
        var inside = translation.Inside is { } others ? Of(others, places) : null;
        var all = inside == null ? backends : Sorted([.. backends, .. inside]);
        var into = new Making(all.Length, front.Family);
        var missing = AddMissing(translation.Backends, places, into);
        foreach (var protocol in Protocols(translation.Key, front.Family))
        {
            ushort? port = translation.Key.Port == 0 ? null : translation.Key.Port;
            var own = ServiceParts.Front(front, (byte)protocol, port, into.Room).Key;
            Add(translation, settings, front, (byte)protocol, backends, own, into);
            if (translation.Timeouts is { } times && protocol is IpProtocol.Tcp or IpProtocol.Udp)
                AddTimes(times, front.Family, port != null, own, into);
            if (inside != null) AddInside(translation, settings, front, (byte)protocol, inside, own, into);
            if (translation.Masquerade != TranslationMasquerade.None)
                into.Add(ServiceParts.Masqueraded(front.Family, translation.Masquerade), NftElement.Of(own));
            AddFlows(all, translation.Key, front, (byte)protocol, into);
        }
        if (translation.Kind == TranslationKind.Vip)
            into.Add(ServiceParts.Vips(front.Family), NftElement.Of(NftOctets.Of(front, into.Room)));
        Address? hadHere = null, hadOwn = null;
        foreach (var one in all)
        {
            if (one.IsHere && hadHere != one.To) into.Add(ServiceParts.Here(front.Family), NftElement.Of(NftOctets.Of(one.To)));
            if (one.IsHere) hadHere = one.To;
            // A backend elsewhere that comes to itself by way of this host is an outsider, who looks like another already.
            if ((one.IsElsewhere && translation.Masquerade != TranslationMasquerade.None) || hadOwn == one.To) continue;
            into.Add(ServiceParts.Hairpins(front.Family), NftElement.Of(ServiceParts.Hairpin(one.To)));
            hadOwn = one.To;
        }
        var leads = Array.Exists(backends, one => one.Weight > 0);
        if (!leads && backends.Length > 0 && missing == null) (into.Lacks ??= []).Add(Weightless(translation, settings));
        return (into.Made(leads ? front : null, translation.Kind == TranslationKind.Vip ? front : null), missing);
    }

    private static string Weightless(Translation translation, ServiceSettings settings) =>
        "no backend of it has a weight: new connections are "
        + ((translation.Empty ?? settings.EmptyBackends) == EmptyBackends.Drop ? "dropped" : "refused");

    /// <summary>Backends that are at interfaces without addresses.</summary>
    /// <returns>What all of them lack; null: one is there, or there are none.</returns>
    private static string? AddMissing(ListOf<Backend> backends, Places places, Making into)
    {
        List<string>? some = null;
        foreach (var one in backends.Items)
            if ((Lost(one.To.Place, places) ?? Lost(one.From.Place, places)) is { } lost)
                (some ??= []).Add($"nothing is sent to {one}: {places.Lacks(lost)}");
        if (some == null) return null;
        if (some.Count == backends.Count) return string.Join("; ", some);
        (into.Lacks ??= []).AddRange(some);
        return null;
    }

    private static TranslationPlace? Lost(TranslationPlace? place, Places places) =>
        place is { Interface: not null } at && places.Of(at) == null ? at : null;

    /// <summary>Those that differ in what a connection does not tell stand side by side.</summary>
    private static void AddFlows(Known[] all, TranslationKey key, Address front, byte protocol, Making into)
    {
        BackendFlows? last = null;
        foreach (var backend in all)
        {
            var flows = FlowsOf(backend, key, front, protocol);
            if (last != flows) into.Flows.Add(flows);
            last = flows;
        }
    }

    private static BackendFlows FlowsOf(Known backend, TranslationKey key, Address front, byte protocol) => key.Port == 0
        ? new(front, protocol, null, backend.To, null) : new(front, protocol, key.Port, backend.To, backend.ToPort ?? key.Port);

    private static IpProtocol[] Protocols(TranslationKey key, IpFamily family) => key.Protocol is { } one ? [one]
        : [.. Ported, family == IpFamily.IPv4 ? IpProtocol.Icmp : IpProtocol.Icmp6];

    private static Known[] Of(ListOf<Backend> backends, Places places)
    {
        var (some, count) = (new Known[backends.Count], 0);
        foreach (var one in backends.Items)
            if (Of(one, places) is { } known) some[count++] = known;
        return Sorted(count == some.Length ? some : some[..count]);
    }

    /// <summary>By what they are on every node, each once.</summary>
    private static Known[] Sorted(Known[] some)
    {
        if (some.Length < 2) return some;
        Array.Sort(some, Known.InOrder);
        var last = 0;
        for (var i = 1; i < some.Length; i++)
            if (some[i] != some[last]) some[++last] = some[i];
        return last == some.Length - 1 ? some : some[..(last + 1)];
    }

    private static Known? Of(Backend backend, Places places)
    {
        var from = backend.From.Place is { } source ? places.Of(source) : null;
        if (places.Of(backend.To.Place!.Value) is not { } to || (backend.From.Place != null && from == null)) return null;
        return new(to, backend.To.Port, from, backend.From.Port, backend.Weight, backend.IsHere, backend.IsElsewhere);
    }

    private static void Add(
        Translation translation, ServiceSettings settings, Address front, byte protocol, Known[] backends, NftOctets own, Making into)
    {
        var (family, withPort) = (front.Family, translation.Key.Port != 0);
        ushort? port = withPort ? translation.Key.Port : null;
        var places = Fill(translation, settings, backends);
        if (IsByMaglev(translation) && places.Length > 0)
        {
            into.Digest ??= Maglev.Digest(places.Select(one => one.ToString()));
            if (Maglev.Lacks(backends.Count(one => one.Weight > 0), places.Distinct().Count(), places.Length) is { } lacks)
                (into.Lacks ??= []).Add(lacks);
        }
        for (var i = 0u; i < places.Length; i++)
        {
            var to = places[i].To;
            var value = withPort ? NftOctets.OfPort(to, places[i].ToPort ?? port!.Value, into.Room) : NftOctets.Of(to, into.Room);
            into.Add(ServiceParts.Ends(family, withPort),
                NftElement.Of(ActSpread.Key(front, protocol, port, i, into.Room), new NftData(value)));
        }
        foreach (var backend in backends)
            if (backend.From is { } from) into.Elements.Add(Source(backend, from, front, protocol, port, into.Room));
        var spread = ServiceParts.Spread(family, withPort, HashOf(translation), (uint)places.Length);
        var verdict = places.Length == 0 ? Nowhere(translation.Empty ?? settings.EmptyBackends, into)
            : To(spread, translation, front, protocol, places, into);
        into.AddFront(ServiceParts.Fronts(family, withPort), own, verdict);
    }

    private static void AddTimes(TranslationTimeouts times, IpFamily family, bool withPort, NftOctets own, Making into)
    {
        var (chain, timeouts) = ServiceParts.Timed(times);
        into.Add([chain]);
        (into.Timeouts ??= []).UnionWith(timeouts);
        into.Add(ServiceParts.Times(family, withPort), NftElement.Of(own, new NftVerdict(NftVerdictCode.Goto, chain.Name)));
    }

    /// <summary>For pods of this host and it itself; it has a port.</summary>
    private static void AddInside(
        Translation translation, ServiceSettings settings, Address front, byte protocol, Known[] backends, NftOctets own, Making into)
    {
        var (family, port) = (front.Family, translation.Key.Port);
        var places = Fill(translation, settings, backends);
        for (var i = 0u; i < places.Length; i++)
            into.Add(ServiceParts.InsideEnds(family), NftElement.Of(ActSpread.Key(front, protocol, port, i, into.Room),
                new NftData(NftOctets.OfPort(places[i].To, places[i].ToPort ?? port, into.Room))));
        var spread = ServiceParts.Spread(family, true, HashOf(translation), (uint)places.Length, inside: true);
        var verdict = places.Length == 0 ? Nowhere(settings.EmptyBackends, into)
            : To(spread, translation, front, protocol, places, into);
        into.AddFront(ServiceParts.InsideFronts(family), own, verdict);
    }

    /// <summary>Where clients keep their backend the source alone chooses it.</summary>
    private static FlowHash HashOf(Translation translation) => translation.Affinity == null ? translation.FlowHash : FlowHash.Source;

    private static (string, NftElement) Source(Known backend, Address from, Address front, byte protocol, ushort? port, OctetRoom room)
    {
        ushort? toPort = port == null ? null : backend.ToPort ?? port;
        var givesPort = port != null && backend.FromPort != null;
        var value = givesPort ? NftOctets.OfPort(from, backend.FromPort!.Value, room) : NftOctets.Of(from, room);
        return (ServiceParts.Sources(from.Family, port != null, givesPort),
            NftElement.Of(ActSourceNatByService.Key(front, protocol, port, backend.To, toPort, room), new NftData(value)));
    }

    /// <summary>Each backend as often as its share is; by Maglev in the places that it takes.</summary>
    private static Known[] Fill(Translation translation, ServiceSettings settings, Known[] backends)
    {
        var some = Array.Exists(backends, one => one.Weight <= 0) ? Array.FindAll(backends, one => one.Weight > 0) : backends;
        if (some.Length == 0) return [];
        var divisor = 0;
        foreach (var one in some) divisor = Divisor(divisor, one.Weight);
        if (!IsByMaglev(translation))
            return Array.TrueForAll(some, one => one.Weight == divisor) ? some
                : [.. some.SelectMany(one => Enumerable.Repeat(one, one.Weight / divisor))];
        var table = Maglev.Fill(
            [.. some.Select(one => one.ToString())], [.. some.Select(one => one.Weight / divisor)], settings.MaglevSize);
        return [.. table.Select(i => some[i])];
    }

    private static bool IsByMaglev(Translation translation) =>
        translation is { Balance: TranslationBalance.Maglev, Affinity: null };

    private static int Divisor(int a, int b) => b == 0 ? a : Divisor(b, a % b);

    private static NftVerdict Nowhere(EmptyBackends empty, Making into)
    {
        if (empty == EmptyBackends.Drop) return new(NftVerdictCode.Drop);
        into.Add([new(ServiceParts.Rejecting, null, [new(new ActReject())]) { Comment = "translations without backends" }]);
        return new(NftVerdictCode.Goto, ServiceParts.Rejecting);
    }

    private static NftVerdict To(
        SpreadChain spread, Translation translation, Address front, byte protocol, Known[] places, Making into)
    {
        into.Add(spread.Chain);
        if (translation.Affinity == null && translation.Sources.Count == 0) return spread.To;
        var first = spread.Chain[0];
        if (translation.Affinity is { } affinity)
        {
            var owner = translation.Name.Length > 0 ? translation.Name : translation.Key.ToString();
            ushort? own = translation.Key.Port == 0 ? null : translation.Key.Port;
            (Address, ushort?, uint)[] some =
                [.. places.CountBy(one => one).Select(one => (one.Key.To, own == null ? null : one.Key.ToPort ?? own, (uint)one.Value))];
            var keeping = KeptBackends.Of(front.Family, $"{owner} {protocol}", affinity, some, first.Name);
            into.Sets = into.Sets.AddRange(keeping.Sets);
            into.Add([first = keeping.Chain]);
        }
        if (translation.Sources.Count == 0) return new(NftVerdictCode.Goto, first.Name);
        var allow = ServiceParts.Allow(front.Family, translation.Sources, first.Name);
        into.Add([allow]);
        return new(NftVerdictCode.Goto, allow.Name);
    }
}
