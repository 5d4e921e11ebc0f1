using System.Globalization;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Resources.Reading.Egress;

/// <summary>
/// The annotations by which pods and namespaces choose gateways. A policy that is named counts before selectors that stand beside it. One
/// that is wrong is a warning and the wish's problem: it must not leave whoever has it at its last good version, nor without a gateway. So
/// it is with one of a name that nobody knows, and with those that stand beside a selector, where nothing else chooses: whoever has written
/// them means that packets do not leave with the node's address. An empty selector is what a template leaves that chooses none.
/// </summary>
internal static class EgressWishReader
{
    private const string Group = "egress.projectcalico.org/", Selector = Group + "selector", Namespaces = Group + "namespaceSelector",
        Policy = Group + "egressGatewayPolicy", MaxNextHops = Group + "maxNextHops";

    /// <summary>What choose gateways.</summary>
    private static readonly string[] Known = [Selector, Namespaces, Policy, MaxNextHops];

    /// <summary>What Calico writes on pods, beside these: nobody has to know them.</summary>
    private const string Maintenance = Group + "gatewayMaintenance", GatewayUnderMaintenance = Maintenance + "GatewayIP",
        MaintenanceStarted = Maintenance + "StartedTimestamp", MaintenanceFinished = Maintenance + "FinishedTimestamp";

    /// <summary>RFC 3339, with seconds or parts of them.</summary>
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>What Calico writes on pods that are gateways, and reads nowhere else.</summary>
    private const string OfGateways = Group + "externalNetworkNames";

    /// <returns>Null: the annotations ask for none.</returns>
    public static EgressWish? Read(Labels annotations, Fields root)
    {
        if (!HasAny(annotations)) return null;
        var (selector, policy) = (Word(Selector), Word(Policy));
        string[] strange = [.. annotations.Select(one => one.Key).Where(IsStrange)];
        if (selector == null && policy == null)
        {
            foreach (var other in strange.Skip(1)) Warn(root, other, Strange);
            if (strange.Length > 0) return Wrong(root, strange[0], Strange);
            if (annotations.TryGetValue(Selector, out _)) Warn(root, Selector, "is empty, which chooses no gateway and has no effect");
            else if (Word(Namespaces) != null || Word(MaxNextHops) != null)
                return Wrong(root, Word(Namespaces) != null ? Namespaces : MaxNextHops, $"chooses no gateway without {Selector}") with
                {
                    YieldsToNamespace = true,
                };
            return null;
        }
        foreach (var other in strange) Warn(root, other, $"{Strange}; it has no effect beside {(policy != null ? Policy : Selector)}");
        if (policy != null)
        {
            if (selector != null) Warn(root, Selector, $"has no effect beside {Policy}");
            return new() { Policy = policy };
        }
        return Choice(selector!, Word(Namespaces), Word(MaxNextHops), root);

        string? Word(string name) => annotations.TryGetValue(name, out var said) && said.Length > 0 ? said : null;
    }

    /// <summary>Most pods have none, and there are many.</summary>
    private static bool HasAny(Labels annotations)
    {
        foreach (var (name, _) in annotations)
            if (name.StartsWith(Group, StringComparison.Ordinal)) return true;
        return false;
    }

    private static bool IsStrange(string name) => name.StartsWith(Group, StringComparison.Ordinal) && !Known.Contains(name)
        && !name.StartsWith(Maintenance, StringComparison.Ordinal) && name != OfGateways;

    private static readonly string Strange = $"is not known here: those that choose gateways are {string.Join(", ", Known)}";

    /// <summary>One of these that is wrong is a warning, and then none has an effect: what they ask for is a favour.</summary>
    /// <returns>Null: they name no gateway.</returns>
    public static EgressMaintenance? ReadMaintenance(Labels annotations, Fields root)
    {
        if (!annotations.TryGetValue(GatewayUnderMaintenance, out var said) || said.Length == 0) return null;
        var isGood = Address.TryParse(said, out var gateway);
        if (!isGood) Warn(root, GatewayUnderMaintenance, $"expected an address, got \"{said}\": it has no effect");
        var (started, finished) = (Time(MaintenanceStarted), Time(MaintenanceFinished));
        return isGood ? new(gateway, started, finished) : null;

        DateTimeOffset? Time(string name)
        {
            var time = default(DateTimeOffset);
            if (!annotations.TryGetValue(name, out var word) || word.Length == 0) return null;
            if (TimeForms.Any(form => DateTimeOffset.TryParseExact(
                word, form, CultureInfo.InvariantCulture, DateTimeStyles.None, out time))) return time;
            isGood = false;
            Warn(root, name, $"expected a time such as 2026-01-31T12:00:00Z (RFC 3339), got \"{word}\": "
                + $"{GatewayUnderMaintenance} has no effect");
            return null;
        }
    }

    private static EgressWish Choice(string selector, string? namespaces, string? most, Fields root)
    {
        Selector? within = null;
        if (!Resources.Selector.TryParse(selector, out var gateways, out var error)) return Wrong(root, Selector, error);
        if (namespaces != null && !Resources.Selector.TryParse(namespaces, out within, out error)) return Wrong(root, Namespaces, error);
        var count = 0;
        if (most != null && !int.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out count))
            return Wrong(root, MaxNextHops, $"expected a number from 0, got \"{most}\"");
        return new() { Gateway = new(gateways, within, count) };
    }

    private static EgressWish Wrong(Fields root, string annotation, string reason)
    {
        Warn(root, annotation, $"{reason}: whoever has this leaves the cluster by no way");
        return new() { Problem = $"annotation {annotation}: {reason}" };
    }

    private static void Warn(Fields root, string annotation, string reason) =>
        root["metadata"].Section()["annotations"].Section().Warn(annotation, reason);
}
