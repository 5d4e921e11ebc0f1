using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Configuration;

/// <summary><c>services</c>: translations of destinations, in the manner of VPP's cnat.</summary>
internal sealed class ServicesReader(Section root)
{
    private const int MostWeight = 100;

    private static readonly Reading<long> Prime = new(
        $"a prime from {MaglevTrial.SmallestSize} to {MaglevTrial.LargestSize}",
        text => Scalars.Number(MaglevTrial.SmallestSize, MaglevTrial.LargestSize).Parse(text) is { } number && MaglevTrial.IsSize(number)
            ? number : null);

    private static readonly Reading<FlowHash> Field = new(TranslationWords.FlowHashWords, TranslationWords.FlowHash);

    private readonly Dictionary<(TranslationPlace Place, ushort Port), List<IpProtocol?>> taken = [];
    private readonly HashSet<string> names = [];

    /// <summary>Null: the file does not speak of services.</summary>
    public ServiceSettings? Read(bool hasSources)
    {
        if (!root.Has("services")) return null;
        var services = root.Child("services");
        var settings = services == null ? new ServiceSettings { Enabled = true } : Read(services);
        services?.Close();
        if (settings is { Enabled: true, Kubernetes: true } && !hasSources)
            root.Problems.Warn(root.At("services"), "services has none of Kubernetes': they come from sources, and there are none");
        return settings;
    }

    private ServiceSettings Read(Section services) => new()
    {
        Enabled = services.Flag("enabled", otherwise: true),
        Kubernetes = services.Flag("kubernetes", otherwise: false),
        HostPorts = services.Flag("hostPorts", otherwise: true),
        EmptyBackends = services.Word("emptyBackends", ("reject", EmptyBackends.Reject), ("drop", EmptyBackends.Drop)) ?? default,
        OnBackendRemoval = services.Word("onBackendRemoval",
            ("delete", OnBackendRemoval.Delete), ("keep", OnBackendRemoval.Keep), ("drain", OnBackendRemoval.Drain)) ?? default,
        DrainTime = services.Duration("drainTime", TimeSpan.Zero, TimeSpan.FromDays(1)) ?? ServiceSettings.DefaultDrainTime,
        MaglevSize = (int)(services.Value("maglevSize", Prime) ?? ServiceSettings.DefaultMaglevSize),
        Translations = [.. services.Sections("translations").Select(Translation).OfType<Translation>()],
        SourceNat = services.Child("snat") is { } snat ? SourceNatReader.Read(snat) : null,
    };

    private Translation? Translation(Section one)
    {
        var name = Name(one);
        var kind = one.Has("real") ? TranslationKind.Real : TranslationKind.Vip;
        if (one.Has("real") == one.Has("vip")) one.Problems.Error(one.Node, $"expected either vip or real for {one.Name("vip")}");
        var place = Place(one, kind == TranslationKind.Real ? "real" : "vip", kind);
        var (any, protocol) = Protocol(one, place);
        var said = (ushort?)one.Number("port", 0, ushort.MaxValue);
        var port = said ?? 0;
        if (any && port != 0) one.Error("port", $"expected port 0 beside protocol any for {one.Name("port")}, got {port}");
        else if (protocol is IpProtocol.Icmp or IpProtocol.Icmp6 && port != 0)
            one.Error("port", $"expected port 0 beside protocol icmp for {one.Name("port")}, got {port}");
        else if (!any && protocol is not (IpProtocol.Icmp or IpProtocol.Icmp6) && !one.Has("port"))
            one.Problems.Error(one.Node, $"expected a port from 1 to {ushort.MaxValue}, or 0 for all, for {one.Name("port")}, got none");
        var hasAllPorts = HasAllPorts(one, said);
        var backends = one.Sections("backends").Select(backend => Backend(backend, place, hasAllPorts)).OfType<Backend>().ToArray();
        if (backends.CountBy(backend => backend.To).FirstOrDefault(same => same.Value > 1) is { Value: > 1, Key: var twice })
            one.Error("backends", $"expected each backend once for {one.Name("backends")}, got {twice} again (weight says its share)");
        var hash = Hash(one);
        if (place?.Family == IpFamily.IPv4 && hash.HasFlag(FlowHash.FlowLabel))
            one.Error("flowHash", $"expected no flowLabel beside an address of IPv4 for {one.Name("flowHash")}: it has none");
        var balance = one.Word("balance", ("hash", TranslationBalance.Hash), ("maglev", TranslationBalance.Maglev)) ?? default;
        if (balance == TranslationBalance.Maglev && hash.HasFlag(FlowHash.Symmetric))
            one.Error("flowHash", $"expected no symmetric beside maglev for {one.Name("flowHash")}: each node has another such hash");
        var affinity = one.Duration("affinity", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        if (affinity != null && (balance == TranslationBalance.Maglev || one.Has("flowHash")))
            one.Error("affinity", $"expected neither maglev nor flowHash beside {one.Name("affinity")}: a client's address alone chooses");
        var timeouts = Timeouts(one, any ? null : protocol);
        one.Close();
        if (place is not { } at || (said == null && one.Has("port"))) return null;
        var key = new TranslationKey(at, any ? null : protocol, port);
        Claim(one, key);
        return new(name, kind, key, [.. backends]) { Balance = balance, FlowHash = hash, Affinity = affinity, Timeouts = timeouts };
    }

    private static TranslationTimeouts? Timeouts(Section one, IpProtocol? protocol)
    {
        if (one.Child("timeouts") is not { } timeouts) return null;
        TimeSpan? Time(string key) => timeouts.Duration(key, TranslationTimeouts.Shortest, TranslationTimeouts.Longest);
        var times = new TranslationTimeouts(Time("tcp"), Time("other"));
        timeouts.Close();
        if (times.Problem(protocol) is { } problem) one.Error("timeouts", $"{problem} for {one.Name("timeouts")}");
        return times.Tcp == null && times.Other == null ? null : times;
    }

    private string Name(Section one)
    {
        if (one.Text("name") is not { } name) return "";
        if (!Names.IsWord(name)) one.Error("name", $"expected {Names.WordExpected} for {one.Name("name")}, got \"{name}\"");
        else if (!names.Add(name)) one.Error("name", $"expected each name once for {one.Name("name")}, got {name} again");
        return name;
    }

    /// <summary>Any protocol takes all ports of the address that have no translation of their own.</summary>
    private void Claim(Section one, TranslationKey key)
    {
        if (!taken.TryGetValue((key.Place, key.Port), out var others)) taken[(key.Place, key.Port)] = others = [];
        if (others.Contains(key.Protocol)) one.Problems.Error(one.Node, $"expected each address, protocol and port once, got {key} again");
        else if (others.Count > 0 && (key.Protocol == null || others.Contains(null)))
            one.Problems.Error(one.Node, $"expected either any or other protocols for port 0 of {key.Place}, got both");
        others.Add(key.Protocol);
    }

    private static (bool Any, IpProtocol Protocol) Protocol(Section one, TranslationPlace? place)
    {
        var icmp = place?.Family == IpFamily.IPv6 ? IpProtocol.Icmp6 : IpProtocol.Icmp;
        if (one.Has("protocol") && one.At("protocol") is ScalarNode { Text: "any" }) return (true, default);
        if (!one.Has("protocol"))
            one.Problems.Error(one.Node, $"expected tcp, udp, sctp, icmp or any for {one.Name("protocol")}, got none");
        return (false, one.Word("protocol", ("tcp", IpProtocol.Tcp), ("udp", IpProtocol.Udp), ("sctp", IpProtocol.Sctp), ("icmp", icmp),
            ("any", default)) ?? default);
    }

    private static FlowHash Hash(Section one)
    {
        var fields = one.Values("flowHash", Field);
        var hash = fields.Aggregate(FlowHash.None, (all, field) => all | field);
        if (hash.HasFlag(FlowHash.Symmetric) && hash != FlowHash.Symmetric)
            one.Error("flowHash", $"expected symmetric alone for {one.Name("flowHash")}: it takes addresses, protocol and ports");
        return TranslationWords.WithFields(hash);
    }

    /// <summary>A port that cannot be read is not none.</summary>
    private static bool HasAllPorts(Section one, ushort? said) => said == 0 || (said == null && !one.Has("port"));

    private static Backend? Backend(Section backend, TranslationPlace? front, bool hasAllPorts)
    {
        BackendEnd? from = backend.Has("from") ? End(backend, "from", front, hasAllPorts) : Dataplane.Services.Backend.Unchanged;
        if (!backend.Has("to")) backend.Problems.Error(backend.Node, $"expected ADDRESS[:PORT] for {backend.Name("to")}, got none");
        var to = backend.Has("to") ? End(backend, "to", front, hasAllPorts) : null;
        var weight = (int)(backend.Number("weight", 0, MostWeight) ?? 1);
        backend.Close();
        return from is { } source && to is { } end ? new(source, end) { Weight = weight } : null;
    }

    private static BackendEnd? End(Section backend, string key, TranslationPlace? front, bool hasAllPorts)
    {
        var text = backend.Text(key) ?? "";
        if (TranslationWords.End(text) is not { Place: { } place } end)
        {
            backend.Error(key, $"expected ADDRESS[:PORT] or INTERFACE[ v6][:PORT] for {backend.Name(key)}, got \"{text}\"");
            return null;
        }
        if (front is { } at && place.Family != at.Family)
            backend.Error(key, $"expected an address of {at.Family.Word()} as {at} has for {backend.Name(key)}, got {place}");
        if (place.Address is { } address && TranslationWords.Unfit(address) is { } why)
            backend.Error(key, $"expected another address for {backend.Name(key)}, got {place}: {why}");
        if (hasAllPorts && end.Port != null)
            backend.Error(key, $"expected no port beside all ports for {backend.Name(key)}, got {end.Port}");
        return end;
    }

    private static TranslationPlace? Place(Section one, string key, TranslationKind kind)
    {
        if (!one.Has(key)) return null;
        var text = one.Text(key) ?? "";
        if (TranslationWords.End(text) is not { Place: { } place, Port: null })
        {
            one.Error(key, $"expected an address or INTERFACE[ v6] for {one.Name(key)}, got \"{text}\"");
            return null;
        }
        if (TranslationWords.Unfit(place, kind) is { } why)
            one.Error(key, $"expected another address for {one.Name(key)}, got {place}: {why}");
        return place;
    }
}
