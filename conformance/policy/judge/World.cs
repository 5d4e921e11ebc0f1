using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>All objects, as the judge understands them (2.1, 2.2).</summary>
internal sealed class World
{
    public const string NamespaceLabel = "projectcalico.org/namespace";

    private readonly Dictionary<string, Dictionary<string, string>> inherited = [];
    private readonly List<Item> items = [];
    private readonly List<Tier> tiers =
    [
        new("kube-admin", 1_000, false), new("default", 1_000_000, true), new("kube-baseline", 10_000_000, false),
    ];
    private readonly Dictionary<string, (IReadOnlyList<Rule> Ingress, IReadOnlyList<Rule> Egress)> profiles = [];
    private readonly List<Policy> policies = [];
    private readonly List<Doc> docs;

    public World(string yaml)
    {
        docs = [.. Doc.ReadAll(yaml)];
        var rules = new RuleReader(this);
        profiles["projectcalico-default-allow"] = (RuleReader.Everything, RuleReader.Everything);
        foreach (var doc in docs) ReadProfile(doc, rules);
        foreach (var doc in docs) ReadItem(doc);
        foreach (var doc in Of("Tier"))
        {
            tiers.RemoveAll(tier => tier.Name == doc.Name);
            tiers.Add(new(doc.Name, OrderOf(doc), doc["spec"]["defaultAction"].Text != "Pass"));
        }
        Felix = Of("FelixConfiguration").Where(doc => doc.Name == "default").Select(doc => doc["spec"]).FirstOrDefault();
        policies.AddRange(docs.Select(new CalicoPolicies(rules).Read).OfType<Policy>());
        policies.AddRange(docs.Select(new KubernetesPolicies(this).Read).OfType<Policy>());
    }

    public IEnumerable<Item> Items => items;
    public IEnumerable<Tier> Tiers => tiers.OrderBy(tier => tier.Order).ThenBy(tier => tier.Name, StringComparer.Ordinal);
    public Doc Felix { get; }

    public IEnumerable<Policy> In(Tier tier) => policies.Where(policy => policy.Tier == tier.Name)
        .OrderBy(policy => policy.Order).ThenBy(policy => policy.Key, StringComparer.Ordinal);

    public (IReadOnlyList<Rule> Ingress, IReadOnlyList<Rule> Egress)? Profile(string name) =>
        profiles.TryGetValue(name, out var found) ? found : null;

    public IEnumerable<Doc> Of(string kind) => docs.Where(doc => doc.Kind == kind);

    public static double OrderOf(Doc doc) => doc["spec"]["order"].Text is { } order
        ? double.Parse(order, System.Globalization.CultureInfo.InvariantCulture) : double.PositiveInfinity;

    /// <summary>Calico's name of a pod's veth (C.1).</summary>
    public static string InterfaceOf(string space, string pod) =>
#pragma warning disable CA5350 // Calico's rule: a name, no secret
        "cali" + Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes($"{space}.{pod}")))[..11];
#pragma warning restore CA5350

    private void ReadProfile(Doc doc, RuleReader rules)
    {
        switch (doc.Kind)
        {
            case "Namespace":
                profiles["kns." + doc.Name] = (RuleReader.Everything, RuleReader.Everything);
                inherited["kns." + doc.Name] = Prefixed("pcns.", doc);
                break;
            case "ServiceAccount":
                profiles[$"ksa.{doc.Namespace}.{doc.Name}"] = ([], []);
                inherited[$"ksa.{doc.Namespace}.{doc.Name}"] = Prefixed("pcsa.", doc);
                break;
            case "Profile":
                profiles[doc.Name] = (rules.Read(doc["spec"]["ingress"], null), rules.Read(doc["spec"]["egress"], null));
                inherited[doc.Name] = doc["spec"]["labelsToApply"].Map;
                break;
        }

        static Dictionary<string, string> Prefixed(string prefix, Doc doc)
        {
            var labels = doc.Labels.ToDictionary(label => prefix + label.Key, label => label.Value);
            labels[prefix + "projectcalico.org/name"] = doc.Name;
            return labels;
        }
    }

    private void ReadItem(Doc doc)
    {
        var spec = doc["spec"];
        switch (doc.Kind)
        {
            case "Pod" when Pod(doc) is { } pod: items.Add(pod); break;
            case "WorkloadEndpoint":
                var labels = doc.Labels;
                labels[NamespaceLabel] = doc.Namespace;
                items.Add(Made(ItemKind.Workload, doc.Name, labels, [.. spec["profiles"].Texts]) with
                {
                    Node = spec["node"].Text!,
                    Interface = spec["interfaceName"].Text!,
                    Nets = [.. spec["ipNetworks"].Texts],
                    Ports = Ports(spec["ports"], "port"),
                });
                break;
            case "HostEndpoint":
                items.Add(Made(ItemKind.Host, doc.Name, doc.Labels, [.. spec["profiles"].Texts]) with
                {
                    Node = spec["node"].Text!,
                    Interface = spec["interfaceName"].Text ?? "",
                    Nets = [.. spec["expectedIPs"].Texts],
                    Ports = Ports(spec["ports"], "port"),
                });
                break;
            case "GlobalNetworkSet":
                items.Add(Made(ItemKind.Set, doc.Name, doc.Labels, []) with { Nets = [.. spec["nets"].Texts] });
                break;
            case "NetworkSet":
                var own = doc.Labels;
                own[NamespaceLabel] = doc.Namespace;
                items.Add(Made(ItemKind.Set, doc.Name, own, ["kns." + doc.Namespace]) with { Nets = [.. spec["nets"].Texts] });
                break;
        }
    }

    /// <summary>An endpoint once it is scheduled and has addresses, and until it has ended.</summary>
    private Item? Pod(Doc doc)
    {
        var (spec, status) = (doc["spec"], doc["status"]);
        string[] nets = [.. status["podIPs"].Items.Select(ip => ip["ip"].Text).OfType<string>()];
        if (nets.Length == 0 && status["podIP"].Text is { } only) nets = [only];
        if (spec["hostNetwork"].IsTrue || spec["nodeName"].Text is not { } node || nets.Length == 0) return null;
        if (status["phase"].Text is "Failed" or "Succeeded" or "Completed") return null;
        var labels = doc.Labels.Where(label => !label.Key.StartsWith("pcns.", StringComparison.Ordinal)
            && !label.Key.StartsWith("pcsa.", StringComparison.Ordinal)).ToDictionary();
        labels[NamespaceLabel] = doc.Namespace;
        labels["projectcalico.org/orchestrator"] = "k8s";
        List<string> own = ["kns." + doc.Namespace];
        if (spec["serviceAccountName"].Text is { } account)
        {
            labels["projectcalico.org/serviceaccount"] = account;
            own.Add($"ksa.{doc.Namespace}.{account}");
        }
        return Made(ItemKind.Workload, $"{doc.Namespace}/{doc.Name}", labels, own) with
        {
            Node = node,
            Interface = InterfaceOf(doc.Namespace, doc.Name),
            Nets = nets,
            Ports = [.. spec["containers"].Items.SelectMany(container => Ports(container["ports"], "containerPort"))],
        };
    }

    private static List<NamedPort> Ports(Doc ports, string number) => [.. ports.Items.Where(port => port["name"].IsThere)
        .Select(port => new NamedPort(port["name"].Text!, Protocols.Number(port["protocol"].Text ?? "TCP"), port[number].Number))];

    /// <summary>Its own labels go before those of its profiles.</summary>
    private Item Made(ItemKind kind, string name, Dictionary<string, string> own, List<string> profiles)
    {
        var labels = new Dictionary<string, string>(own);
        foreach (var profile in profiles)
            foreach (var (key, value) in inherited.GetValueOrDefault(profile) ?? [])
                labels.TryAdd(key, value);
        return new(kind, name, labels) { Profiles = profiles };
    }

    /// <summary>The labels of a namespace, for Kubernetes' own selectors.</summary>
    public Dictionary<string, string>? NamespaceLabels(string name) =>
        Of("Namespace").Where(doc => doc.Name == name).Select(doc => doc.Labels).FirstOrDefault();

    /// <summary>Ready addresses behind a service, with their ports.</summary>
    public IEnumerable<(IPAddress Address, int Protocol, int Port)> Behind(string space, string service) =>
        from slice in Of("EndpointSlice")
        where slice.Namespace == space && slice.Labels.GetValueOrDefault("kubernetes.io/service-name") == service
        from endpoint in slice["endpoints"].Items
        where endpoint["conditions"]["ready"].Text != "false"
        from address in endpoint["addresses"].Texts
        from port in slice["ports"].Items
        select (IPAddress.Parse(address), Protocols.Number(port["protocol"].Text ?? "TCP"), port["port"].Number);
}
