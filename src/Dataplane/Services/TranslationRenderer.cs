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
    private sealed record Known(Address To, ushort? ToPort, Address? From, ushort? FromPort, int Weight, bool IsHere)
    {
        public override string ToString() => $"{To} {ToPort} {From} {FromPort}";
    }

    /// <returns>Nothing where the translation's own place has no address; what is missing is said then.</returns>
    public static (Wishes Wishes, string? Missing) Render(Translation translation, ServiceSettings settings, Places places)
    {
        if (places.Of(translation.Key.Place) is not { } front)
            return (Wishes.None, $"{translation.Key.Place.Interface} has no address of {translation.Key.Place.Family.Word()}");
        var backends = Of(translation.Backends, places);
        var inside = translation.Inside is { } others ? Of(others, places) : null;
        Known[] all = inside == null ? backends : [.. backends.Union(inside)];
        var elements = ImmutableArray.CreateBuilder<(string, NftElement)>();
        var chains = ImmutableArray.CreateBuilder<NftChain>();
        var flows = ImmutableArray.CreateBuilder<BackendFlows>();
        foreach (var protocol in Protocols(translation.Key, front.Family))
        {
            Add(translation, settings, front, (byte)protocol, backends, elements, chains);
            if (inside != null) AddInside(translation, settings, front, (byte)protocol, inside, elements, chains);
            if (translation.Masquerade != TranslationMasquerade.None)
                elements.Add((ServiceParts.Masqueraded(front.Family, translation.Masquerade),
                    NftElement.Of(ServiceField(front, (byte)protocol, translation.Key.Port))));
            flows.AddRange(all.Select(one => FlowsOf(one, translation.Key, front, (byte)protocol)).Distinct());
        }
        if (translation.Kind == TranslationKind.Vip)
            elements.Add((ServiceParts.Vips(front.Family), NftElement.Of(NftOctets.Of(front))));
        foreach (var here in all.Where(one => one.IsHere).Select(one => NftOctets.Of(one.To)).Distinct())
            elements.Add((ServiceParts.Here(front.Family), NftElement.Of(here)));
        foreach (var own in all.Select(one => NftOctets.Of(one.To)).Distinct())
            elements.Add((ServiceParts.Hairpins(front.Family), NftElement.Of(NftOctets.Of(own, own))));
        return (new(elements.DrainToImmutable(), chains.DrainToImmutable(), flows.DrainToImmutable()), null);
    }

    private static BackendFlows FlowsOf(Known backend, TranslationKey key, Address front, byte protocol) => key.Port == 0
        ? new(front, protocol, null, backend.To, null) : new(front, protocol, key.Port, backend.To, backend.ToPort ?? key.Port);

    private static IEnumerable<IpProtocol> Protocols(TranslationKey key, IpFamily family) => key.Protocol is { } one ? [one]
        : [.. Ported, family == IpFamily.IPv4 ? IpProtocol.Icmp : IpProtocol.Icmp6];

    private static Known[] Of(ListOf<Backend> backends, Places places) =>
        [.. backends.Select(one => Of(one, places)).OfType<Known>().Distinct().OrderBy(one => one.ToString(), StringComparer.Ordinal)];

    private static Known? Of(Backend backend, Places places)
    {
        var from = backend.From.Place is { } source ? places.Of(source) : null;
        if (places.Of(backend.To.Place!) is not { } to || (backend.From.Place != null && from == null)) return null;
        return new(to, backend.To.Port, from, backend.From.Port, backend.Weight, backend.IsHere);
    }

    private static void Add(
        Translation translation, ServiceSettings settings, Address front, byte protocol, Known[] backends,
        ImmutableArray<(string, NftElement)>.Builder elements, ImmutableArray<NftChain>.Builder chains)
    {
        var (family, withPort) = (front.Family, translation.Key.Port != 0);
        ushort? port = withPort ? translation.Key.Port : null;
        var places = Fill(translation, settings, backends);
        for (var i = 0u; i < places.Length; i++)
        {
            var to = NftOctets.Of(places[i].To);
            var value = withPort ? NftOctets.Of(to, NftOctets.Of(places[i].ToPort ?? port!.Value)) : to;
            elements.Add((ServiceParts.Ends(family, withPort),
                NftElement.Of(ActSpread.Key(front, protocol, port, i), new NftData(value))));
        }
        foreach (var backend in backends)
            if (backend.From is { } from) elements.Add(Source(backend, from, front, protocol, port));
        var verdict = places.Length == 0 ? Nowhere(translation.Empty ?? settings.EmptyBackends, chains)
            : To(ServiceParts.Spread(family, withPort, translation.FlowHash, (uint)places.Length), translation, family, chains);
        elements.Add((ServiceParts.Fronts(family, withPort), NftElement.Of(ServiceField(front, protocol, port), verdict)));
    }

    /// <summary>For pods of this host and it itself; it has a port.</summary>
    private static void AddInside(
        Translation translation, ServiceSettings settings, Address front, byte protocol, Known[] backends,
        ImmutableArray<(string, NftElement)>.Builder elements, ImmutableArray<NftChain>.Builder chains)
    {
        var (family, port) = (front.Family, translation.Key.Port);
        var places = Fill(translation, settings, backends);
        for (var i = 0u; i < places.Length; i++)
            elements.Add((ServiceParts.InsideEnds(family), NftElement.Of(ActSpread.Key(front, protocol, port, i),
                new NftData(NftOctets.Of(NftOctets.Of(places[i].To), NftOctets.Of(places[i].ToPort ?? port))))));
        var verdict = places.Length == 0 ? Nowhere(settings.EmptyBackends, chains)
            : To(ServiceParts.Spread(family, true, translation.FlowHash, (uint)places.Length, inside: true), translation, family, chains);
        elements.Add((ServiceParts.InsideFronts(family), NftElement.Of(ServiceField(front, protocol, port), verdict)));
    }

    private static NftOctets ServiceField(Address front, byte protocol, ushort? port) => port is { } number
        ? MatchAddressPort.Key(front, protocol, number) : NftOctets.Of(NftOctets.Of(front), new([protocol]));

    private static (string, NftElement) Source(Known backend, Address from, Address front, byte protocol, ushort? port)
    {
        ushort? toPort = port == null ? null : backend.ToPort ?? port;
        var givesPort = port != null && backend.FromPort != null;
        var value = givesPort ? NftOctets.Of(NftOctets.Of(from), NftOctets.Of(backend.FromPort!.Value)) : NftOctets.Of(from);
        return (ServiceParts.Sources(from.Family, port != null, givesPort),
            NftElement.Of(ActSourceNatByService.Key(front, protocol, port, backend.To, toPort), new NftData(value)));
    }

    /// <summary>Each backend as often as its share is; by Maglev in the places that it takes.</summary>
    private static Known[] Fill(Translation translation, ServiceSettings settings, Known[] backends)
    {
        Known[] some = [.. backends.Where(one => one.Weight > 0)];
        if (some.Length == 0) return [];
        var divisor = some.Aggregate(0, (sofar, one) => Divisor(sofar, one.Weight));
        if (translation.Balance == TranslationBalance.Hash)
            return [.. some.SelectMany(one => Enumerable.Repeat(one, one.Weight / divisor))];
        var table = Maglev.Fill(
            [.. some.Select(one => one.ToString())], [.. some.Select(one => one.Weight / divisor)], settings.MaglevSize);
        return [.. table.Select(i => some[i])];
    }

    private static int Divisor(int a, int b) => b == 0 ? a : Divisor(b, a % b);

    private static NftVerdict Nowhere(EmptyBackends empty, ImmutableArray<NftChain>.Builder chains)
    {
        if (empty == EmptyBackends.Drop) return new(NftVerdictCode.Drop);
        chains.Add(new(ServiceParts.Rejecting, null, [new(new ActReject())]) { Comment = "translations without backends" });
        return new(NftVerdictCode.Goto, ServiceParts.Rejecting);
    }

    private static NftVerdict To(
        NftChain spread, Translation translation, IpFamily family, ImmutableArray<NftChain>.Builder chains)
    {
        chains.Add(spread);
        if (translation.Sources.Count == 0) return new(NftVerdictCode.Goto, spread.Name);
        var allow = ServiceParts.Allow(family, translation.Sources, spread.Name);
        chains.Add(allow);
        return new(NftVerdictCode.Goto, allow.Name);
    }
}
