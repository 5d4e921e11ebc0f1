using System.Text.RegularExpressions;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Resources.Reading.Egress;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>Endpoints that objects of their own say.</summary>
internal static partial class EndpointReader
{
    private static readonly string[] UnreadOfWorkloads =
        ["containerID", "serviceAccountName", "ipNATs", "ipv4Gateway", "ipv6Gateway", "mac", "qosControls"];

    [GeneratedRegex(@"\A[a-zA-Z0-9_.-]{1,15}\z")]
    private static partial Regex InterfaceName();

    public static WorkloadEndpoint ReadWorkload(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        spec["node"].Require("a node's name");
        spec["interfaceName"].Require("an interface's name");
        var orchestrator = spec["orchestrator"].Word() ?? "";
        var workload = spec["pod"].Word() ?? spec["workload"].Word() ?? "";
        _ = spec["workload"];
        var endpoint = new WorkloadEndpoint(Labelled(metadata, orchestrator, spec["serviceAccountName"].Word()))
        {
            Node = Repeats.Of(spec["node"].Word() ?? ""),
            Interface = Interface(spec["interfaceName"]) ?? "",
            Nets = spec["ipNetworks"].Values(Host),
            Profiles = Repeats.Of(spec["profiles"].List(Name)),
            Ports = spec["ports"].List(WorkloadPort),
            AllowedSpoofedPrefixes = spec["allowSpoofedSourcePrefixes"].Values(cidr => cidr.Network()),
            Orchestrator = orchestrator,
            Workload = $"{metadata.Namespace}/{workload}",
            Endpoint = spec["endpoint"].Word() ?? "",
            Egress = EgressWishReader.Read(metadata.Annotations, root),
            Maintenance = EgressWishReader.ReadMaintenance(metadata.Annotations, root),
        };
        foreach (var known in UnreadOfWorkloads) _ = spec[known];
        spec.WarnOfOthers();
        return endpoint;
    }

    /// <summary>What Calico adds to the labels of every such object.</summary>
    private static Metadata Labelled(Metadata metadata, string orchestrator, string? account)
    {
        var added = new List<KeyValuePair<string, string>> { new(ProfileLabels.Namespace, metadata.Namespace) };
        if (orchestrator.Length > 0) added.Add(new(ProfileLabels.Orchestrator, orchestrator));
        if (account != null) added.Add(new(ProfileLabels.ServiceAccount, account));
        return metadata with { Namespace = Repeats.Of(metadata.Namespace), Labels = Repeats.Of(metadata.Labels.With(Labels.From(added))) };
    }

    /// <summary>One address, as a network of its own.</summary>
    internal static Prefix? Host(Field field)
    {
        field.Require("an address");
        if (field.Network() is not { } net) return null;
        if (net.IsHost) return net;
        field.Error($"expected one address (/32 or /128), got {net}");
        return null;
    }

    private static string? Name(Field field)
    {
        field.Require("a profile's name");
        return field.Word() is { } name ? Repeats.Of(name) : null;
    }

    private static string? Interface(Field field)
    {
        if (field.Word() is not { } name) return null;
        if (InterfaceName().IsMatch(name)) return name;
        field.Error($"expected an interface's name of at most 15 letters, digits and _ . -, got \"{name}\"");
        return null;
    }

    /// <summary>One without a name is a port of the host's, which rules cannot ask for.</summary>
    private static NamedPort? WorkloadPort(Field field)
    {
        var port = field.Section();
        var (isOfHost, _) = (port["hostPort"].Number(0, 65535) > 0, port["hostIP"]);
        if (port["name"].Word() != null || !isOfHost) return Port(port);
        Port(port, isNamed: false);
        return null;
    }

    private static NamedPort? HostPort(Field field) => Port(field.Section());

    private static NamedPort? Port(Fields port, bool isNamed = true)
    {
        var name = port["name"].Word();
        if (isNamed && (name == null || !Protocols.IsPortName(name)))
        {
            var got = name == null ? "nothing" : $"\"{name}\"";
            port.Error("name", $"expected a port's name of at most 15 lower-case letters, digits and -, got {got}");
        }
        port["protocol"].Require("TCP, UDP or SCTP");
        port["port"].Require("a port");
        var (protocol, number) = (Protocols.ReadWithPorts(port["protocol"]), port["port"].Number(1, 65535));
        port.WarnOfOthers();
        return name == null || protocol == null || number == null ? null : new(Repeats.Of(name), protocol, (ushort)number);
    }

    public static HostEndpoint ReadHost(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        spec["node"].Require("a node's name");
        var endpoint = new HostEndpoint(metadata)
        {
            Node = spec["node"].Word() ?? "",
            Interface = spec["interfaceName"].Word() == HostEndpoint.AllInterfaces
                ? HostEndpoint.AllInterfaces : Interface(spec["interfaceName"]) ?? "",
            ExpectedIPs = spec["expectedIPs"].Values(ExpectedIP),
            Profiles = spec["profiles"].List(Name),
            Ports = spec["ports"].List(HostPort),
        };
        spec.RefuseOthers();
        if (spec["interfaceName"].Word() == null && (spec["expectedIPs"].IsAbsent || spec["expectedIPs"].IsEmptyList))
            spec.Error("interfaceName", "expected an interface's name, *, or expectedIPs, got none of them");
        return endpoint;
    }

    private static Address? ExpectedIP(Field field)
    {
        field.Require("an address");
        return field.Address();
    }
}
