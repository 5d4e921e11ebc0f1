using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Resources.Reading.Egress;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>
/// Pods, as Calico makes endpoints of them (section 2.1 of calico-policy-nat.md). There are many, and much of each says nothing here: what
/// nobody asks for is not looked at, and what repeats from pod to pod is kept once.
/// </summary>
internal static class PodReader
{
    private const string PodIPs = "cni.projectcalico.org/podIPs", PodIP = "cni.projectcalico.org/podIP",
        AwsPodIPs = "vpc.amazonaws.com/pod-ips", Spoofed = "cni.projectcalico.org/allowedSourcePrefixes";

    /// <summary>A service account's name that is longer is no value of a label.</summary>
    private const int LongestLabelledAccount = 62;

    public static Pod Read(Metadata metadata, Fields root)
    {
        var (spec, status) = (root["spec"].Section(), root["status"].Section());
        var account = spec["serviceAccountName"].Word();
        var isHost = spec["hostNetwork"].Flag() ?? false;
        return new(Lean(metadata, account))
        {
            Node = spec["nodeName"].Word() is { } node ? Repeats.Of(node) : null,
            IsHostNetwork = isHost,
            Nets = isHost || IsFinished(metadata, root, status) ? [] : Nets(metadata.Annotations, root, status),
            Profiles = Profiles(metadata.Namespace, account),
            Ports = isHost ? [] : Repeats.Of((ListOf<NamedPort>)[.. Ports(spec["containers"]), .. Ports(spec["initContainers"])]),
            HostPorts = isHost ? [] : [.. HostPorts(spec["containers"]), .. HostPorts(spec["initContainers"])],
            AllowedSpoofedPrefixes = SpoofedPrefixes(metadata.Annotations, root),
            IsReady = IsReady(status),
            Egress = isHost || EgressWishReader.Read(metadata.Annotations, root) is not { } wish ? null : Repeats.Of(wish),
            Maintenance = isHost || EgressWishReader.ReadMaintenance(metadata.Annotations, root) is not { } its ? null : Repeats.Of(its),
        };
    }

    private static bool IsReady(Fields status)
    {
        foreach (var item in status["conditions"].Items())
            if (item.Section() is var condition && condition["type"].Word() == "Ready") return condition["status"].Word() == "True";
        return false;
    }

    private static Metadata Lean(Metadata metadata, string? account)
    {
        var labels = metadata.Labels.Where(label => !IsOfInheritance(label.Key))
            .Append(new(ProfileLabels.Namespace, metadata.Namespace)).Append(new(ProfileLabels.Orchestrator, "k8s"));
        if (account is { Length: <= LongestLabelledAccount }) labels = labels.Append(new(ProfileLabels.ServiceAccount, account));
        return metadata with
        {
            Namespace = Repeats.Of(metadata.Namespace),
            Labels = Repeats.Of(Labels.From(labels)),
            Annotations = Labels.Empty,
        };
    }

    private static bool IsOfInheritance(string label) => label.StartsWith(ProfileLabels.NamespacePrefix, StringComparison.Ordinal)
        || label.StartsWith(ProfileLabels.ServiceAccountPrefix, StringComparison.Ordinal);

    private static ListOf<string> Profiles(string within, string? account)
    {
        var ofNamespace = ProfileLabels.OfNamespace(within);
        ListOf<string> all = account == null ? [ofNamespace] : [ofNamespace, ProfileLabels.OfServiceAccount(within, account)];
        return Repeats.Of(all);
    }

    /// <summary>Its addresses are others' by now, though it is still there to be looked at.</summary>
    private static bool IsFinished(Metadata metadata, Fields root, Fields status)
    {
        if (status["phase"].Word() is "Failed" or "Succeeded" or "Completed") return true;
        if (root["metadata"].Section()["deletionTimestamp"].IsAbsent) return false;
        return IsEmptied(PodIP) || IsEmptied(AwsPodIPs);

        bool IsEmptied(string annotation) => metadata.Annotations.TryGetValue(annotation, out var said) && said.Length == 0;
    }

    private static ListOf<Prefix> Nets(Labels annotations, Fields root, Fields status)
    {
        var all = status["podIPs"].Values(item => item.Section()["ip"] is { IsAbsent: false } ip ? EndpointReader.Host(ip) : null);
        if (all.Count > 0) return all;
        if (!status["podIP"].IsAbsent) return EndpointReader.Host(status["podIP"]) is { } only ? [only] : [];
        foreach (var name in (string[])[PodIPs, PodIP, AwsPodIPs])
            if (annotations.TryGetValue(name, out var said) && said.Length > 0) return Annotated(name, said, root);
        return [];
    }

    private static ListOf<Prefix> Annotated(string name, string said, Fields root)
    {
        var nets = new List<Prefix>();
        foreach (var word in said.Split(',', StringSplitOptions.TrimEntries))
            if (Prefix.TryParse(word, out var net) && net.IsHost) nets.Add(net);
            else if (Address.TryParse(word, out var address)) nets.Add(new(address, address.Family.Bits()));
            else root["metadata"].Section()["annotations"].Section().Error(name, $"expected addresses with commas between, got \"{said}\"");
        return [.. nets];
    }

    /// <summary>A protocol that Calico does not know has no port that rules could ask for.</summary>
    private static IEnumerable<NamedPort> Ports(Field containers)
    {
        foreach (var container in containers.Items())
            foreach (var item in container.Section()["ports"].Items())
            {
                var port = item.Section();
                if (port["name"].Word() is { } name && port["containerPort"].Number(1, 65535) is { } number
                    && Protocol(port) is { } protocol)
                    yield return new(Repeats.Of(name), protocol, (ushort)number);
            }
    }

    /// <summary>0 is none, as where nothing is said.</summary>
    private static IEnumerable<HostPort> HostPorts(Field containers)
    {
        foreach (var container in containers.Items())
            foreach (var item in container.Section()["ports"].Items())
            {
                var port = item.Section();
                if (port["hostPort"].Number(0, 65535) is not (> 0 and var number) || Protocol(port) is not { } protocol
                    || port["containerPort"].Number(1, 65535) is not { } inside) continue;
                Address? at = port["hostIP"].Address() is { IsUnspecified: false } said ? said : null;
                yield return new(at, (ushort)number, protocol, (ushort)inside);
            }
    }

    private static byte? Protocol(Fields port) => port["protocol"].Word() switch
    {
        null or "TCP" => Protocols.Tcp,
        "UDP" => Protocols.Udp,
        "SCTP" => Protocols.Sctp,
        _ => null,
    };

    /// <summary>A JSON list of networks.</summary>
    private static ListOf<Prefix> SpoofedPrefixes(Labels annotations, Fields root)
    {
        if (!annotations.TryGetValue(Spoofed, out var said) || said.Length == 0) return [];
        var nets = new List<Prefix>();
        if (JsonTree.Read(Encoding.UTF8.GetBytes(said), 1, out _) is SequenceNode list && list.Items.All(item => Parse(item, nets)))
            return [.. nets];
        root["metadata"].Section()["annotations"].Section().Error(Spoofed, $"expected a JSON list of networks, got \"{said}\"");
        return [];
    }

    private static bool Parse(DocumentNode item, List<Prefix> into)
    {
        if (item is not ScalarNode { Plain: false, Text: var text } || !Prefix.TryParse(text, out var net)) return false;
        into.Add(net);
        return true;
    }
}
