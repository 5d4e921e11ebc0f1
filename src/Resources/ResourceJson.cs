using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Resources.Reading;

namespace Calico.Bgp.Resources;

/// <summary>
/// Documents → objects: the one spelling for every source. Takes projectcalico.org/v3 and crd.projectcalico.org/v1 (whose true labels and
/// annotations stand in an annotation), Kubernetes' Node, Service, Secret and EndpointSlice, and Lists of them. Kinds that decide nothing
/// here are passed over: silently, but for Calico's, of which each is named once.
/// </summary>
public static partial class ResourceJson
{
    private const string CalicoGroup = "projectcalico.org/";
    private const string CrdGroup = "crd.projectcalico.org/";
    private const string Overlay = "projectcalico.org/metadata";
    /// <summary>kubectl's copy of the whole object.</summary>
    private const string Applied = "kubectl.kubernetes.io/last-applied-configuration";

    private delegate Resource Reader(Metadata metadata, Fields root);

    private static readonly string[] CalicoVersions = ["projectcalico.org/v3", "crd.projectcalico.org/v1"];
    private static readonly Dictionary<(string ApiVersion, string Kind), (ResourceKind Kind, Reader Read)> Readers = Table();

    [GeneratedRegex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
    private static partial Regex NamePattern();

    private static Dictionary<(string, string), (ResourceKind, Reader)> Table()
    {
        var table = new Dictionary<(string, string), (ResourceKind, Reader)>
        {
            [("v1", "Node")] = (ResourceKind.KubernetesNode, NodeReader.ReadKubernetes),
            [("v1", "Service")] = (ResourceKind.Service, ServiceReader.Read),
            [("v1", "Secret")] = (ResourceKind.Secret, SecretReader.Read),
            [("discovery.k8s.io/v1", "EndpointSlice")] = (ResourceKind.EndpointSlice, ServiceReader.ReadSlice),
        };
        foreach (var version in CalicoVersions)
        {
            table[(version, "BGPConfiguration")] = (ResourceKind.BgpConfiguration, BgpConfigurationReader.Read);
            table[(version, "BGPPeer")] = (ResourceKind.BgpPeer, BgpPeerReader.Read);
            table[(version, "BGPFilter")] = (ResourceKind.BgpFilter, BgpFilterReader.Read);
            table[(version, "IPPool")] = (ResourceKind.IPPool, IPPoolReader.Read);
            table[(version, "Node")] = (ResourceKind.Node, NodeReader.ReadCalico);
            table[(version, "BlockAffinity")] = (ResourceKind.BlockAffinity, IpamReader.ReadAffinity);
            table[(version, "IPAMBlock")] = (ResourceKind.IpamBlock, IpamReader.ReadBlock);
            table[(version, "FelixConfiguration")] = (ResourceKind.FelixConfiguration, FelixConfigurationReader.Read);
            table[(version, "CalicoNodeStatus")] = (ResourceKind.CalicoNodeStatus, CalicoNodeStatusReader.Read);
        }
        return table;
    }

    /// <param name="file">What problems call the origin.</param>
    public static ResourceReading Read(DocumentNode? document, string file)
    {
        if (document is null or ScalarNode { IsNull: true }) return ResourceReading.Nothing;
        var into = new Reading();
        ReadObject(document, file, (null, null), into);
        return new(into.Definitions.ToImmutable(), into.Problems.ToImmutable());
    }

    private sealed class Reading
    {
        public ImmutableArray<ResourceDefinition>.Builder Definitions { get; } = ImmutableArray.CreateBuilder<ResourceDefinition>();
        public ImmutableArray<ResourceProblem>.Builder Problems { get; } = ImmutableArray.CreateBuilder<ResourceProblem>();
        /// <summary>Kinds already named as having no effect.</summary>
        public HashSet<(string, string)> Named { get; } = [];
    }

    /// <param name="listed">What a typed list says of its items, where they do not say it themselves.</param>
    private static void ReadObject(DocumentNode document, string file, (string? ApiVersion, string? Kind) listed, Reading into)
    {
        var findings = new Findings();
        if (document is not MappingNode map)
        {
            into.Problems.Add(Whole(document, file, $"expected an object with apiVersion and kind, got {document.Kind}"));
            return;
        }
        var root = new Fields(map, null, findings);
        var (apiVersion, kind) = (root["apiVersion"].Word() ?? listed.ApiVersion, root["kind"].Word() ?? listed.Kind);
        if (apiVersion == null || kind == null)
            into.Problems.Add(Whole(document, file, $"expected an object, got one without {(kind == null ? "kind" : "apiVersion")}"));
        else if (kind.EndsWith("List", StringComparison.Ordinal) && !root["items"].IsAbsent) ReadItems(map, file, apiVersion, kind, into);
        else if (Readers.TryGetValue((apiVersion, kind), out var reader))
            into.Definitions.AddRange(Define(map, root, file, reader, findings, into));
        else if (IsOurs(apiVersion, kind) && into.Named.Add((apiVersion, kind)))
            into.Problems.Add(Whole(document, file, $"{kind} of {apiVersion} has no effect here", ProblemSeverity.Warning));
    }

    private static void ReadItems(MappingNode map, string file, string apiVersion, string kind, Reading into)
    {
        var items = map.Entries.First(entry => entry.Key.Text == "items").Value;
        if (items is not SequenceNode sequence)
        {
            into.Problems.Add(Whole(items, file, $"{kind}: expected a list of items, got {items.Kind}"));
            return;
        }
        var listed = kind == "List" ? (null, null) : (apiVersion, kind[..^"List".Length]);
        foreach (var item in sequence.Items) ReadObject(item, file, listed, into);
    }

    /// <summary>Of a group we know, in a version or with a kind that we do not.</summary>
    private static bool IsOurs(string apiVersion, string kind) =>
        apiVersion.StartsWith(CalicoGroup, StringComparison.Ordinal) || apiVersion.StartsWith(CrdGroup, StringComparison.Ordinal)
        || (kind == "EndpointSlice" && apiVersion.StartsWith("discovery.k8s.io/", StringComparison.Ordinal));

    private static ResourceProblem Whole(
        DocumentNode at, string file, string reason, ProblemSeverity severity = ProblemSeverity.Error) =>
        new("", "", reason, file, at.Line, severity);

    private static IEnumerable<ResourceDefinition> Define(
        MappingNode map, Fields root, string file, (ResourceKind Kind, Reader Read) reader, Findings findings, Reading into)
    {
        var metadata = Metadata(root["metadata"].Section(), reader.Kind);
        if (metadata == null)
        {
            into.Problems.AddRange(findings.Problems(reader.Kind.Word(), file));
            return [];
        }
        var resource = reader.Read(metadata, root);
        var id = new ResourceId(reader.Kind, resource.Key);
        return [new(id, findings.HasErrors ? null : resource, map.Line, [.. findings.Problems(id.ToString(), file)])];
    }

    /// <summary>Null, and an error, without a name that could be one.</summary>
    private static Metadata? Metadata(Fields fields, ResourceKind kind)
    {
        var name = fields["name"].Word(253);
        if (name == null || !NamePattern().IsMatch(name))
        {
            var got = name == null ? "nothing" : $"\"{name}\"";
            fields.Error("name", $"expected a name of lower-case letters, digits, - and ., got {got}");
            return null;
        }
        var labels = fields["labels"].Labels();
        var annotations = fields["annotations"].Labels().Without(Applied);
        if (annotations.TryGetValue(Overlay, out var json))
            (labels, annotations) = Overlaid(labels, annotations, json, fields["annotations"]);
        var space = kind.IsNamespaced() ? fields["namespace"].Word() ?? "default" : "";
        return new(name, space) { Labels = labels, Annotations = annotations };
    }

    /// <summary>A CRD's annotation holds the labels and annotations that Calico's API shows.</summary>
    private static (Labels, Labels) Overlaid(Labels labels, Labels annotations, string json, Field field)
    {
        var own = annotations.Without(Overlay);
        var findings = new Findings();
        if (JsonTree.Read(Encoding.UTF8.GetBytes(json), 1, out _) is not MappingNode map)
        {
            field.Warn($"{Overlay}: expected a JSON object, got \"{json}\": it has no effect");
            return (labels, own);
        }
        var root = new Fields(map, null, findings);
        return (labels.With(root["labels"].Labels()), own.With(root["annotations"].Labels()));
    }
}
