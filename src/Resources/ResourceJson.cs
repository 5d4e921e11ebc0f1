using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Resources.Reading;

namespace Calico.Bgp.Resources;

/// <summary>
/// Documents → objects: the one spelling for every source. Takes the kinds of <see cref="Kinds"/> (of crd.projectcalico.org/v1 the true
/// labels and annotations stand in an annotation), Lists of them, and bare lists (<c>calicoctl get node a b -o yaml</c>). Kinds that decide
/// nothing here are passed over: silently, but for Calico's, of which each is named once.
/// </summary>
public static partial class ResourceJson
{
    private const string CalicoGroup = "projectcalico.org";
    internal const string List = "List";
    private const string CrdGroup = "crd.projectcalico.org";
    private const string Overlay = "projectcalico.org/metadata";
    /// <summary>kubectl's copy of the whole object.</summary>
    private const string Applied = "kubectl.kubernetes.io/last-applied-configuration";

    private static readonly Dictionary<(string ApiVersion, string Kind), ResourceKind> ByName = Kinds.All
        .SelectMany(kind => kind.Names.Select(name => (name, kind)))
        .ToDictionary(row => (row.name.ApiVersion, row.name.Kind), row => row.kind);

    /// <summary>Kinds that are read, in whatever version, and the group that they are of.</summary>
    private static readonly HashSet<(string Group, string Kind)> Known =
        [.. Kinds.All.SelectMany(kind => kind.Names).Select(name => (name.Group, name.Kind))];

    /// <summary>A DNS subdomain (RFC 1123), as the API server and libcalico-go's validator ask of names.</summary>
    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z")]
    private static partial Regex NamespacePattern();

    /// <param name="file">What problems call the origin.</param>
    /// <param name="wanted">Kinds that concern others alone decide nothing here.</param>
    /// <param name="listed">Of a list that they are items of.</param>
    public static ResourceReading Read(
        IReadOnlyList<DocumentNode> documents, string file, Concern wanted = Concern.Anybody, ListedAs listed = default)
    {
        if (documents.Count == 0 || documents is [ScalarNode { IsNull: true }]) return ResourceReading.Nothing;
        var into = new Reading { Wanted = wanted };
        foreach (var document in documents)
            foreach (var item in document is SequenceNode list ? list.Items : [document]) ReadObject(item, file, listed, into);
        return new(into.Definitions.ToImmutable(), into.Problems.ToImmutable()) { IsCutOff = into.IsCutOff };
    }

    /// <summary>What a list says of its items, which have been taken out of it; null: it is none.</summary>
    public static ListedAs? ListedBy(DocumentNode list)
    {
        if (list is not MappingNode map || map.Entries.Count(entry => entry.Key.Text == "items") != 1) return null;
        var root = new Fields(map, null, new Findings());
        return root["items"].IsAbsent && root["apiVersion"].Word() is { } version && root["kind"].Word() is { } kind
            && kind.EndsWith(List, StringComparison.Ordinal) ? ListedAs.Of(version, kind) : null;
    }

    /// <summary>One object that was asked for as this kind; objects in lists do not say it themselves.</summary>
    /// <param name="server">What problems call the origin.</param>
    public static ResourceReading Read(ApiObject item, ApiName name, string server)
    {
        var (into, findings) = (new Reading(), new Findings());
        into.Definitions.AddRange(
            Define(item.Root, new(item.Root, null, findings), server, ByName[(name.ApiVersion, name.Kind)], findings, into));
        return new(into.Definitions.ToImmutable(), into.Problems.ToImmutable());
    }

    private sealed class Reading
    {
        public ImmutableArray<ResourceDefinition>.Builder Definitions { get; } = ImmutableArray.CreateBuilder<ResourceDefinition>();
        public ImmutableArray<ResourceProblem>.Builder Problems { get; } = ImmutableArray.CreateBuilder<ResourceProblem>();
        public Concern Wanted { get; init; }
        public bool Wants(ResourceKind kind) => kind.Whole.Concerns == Concern.Nobody || kind.IsFor(Wanted);
        public bool IsCutOff { get; set; }
        /// <summary>Kinds already named as having no effect.</summary>
        public HashSet<(string, string)> Named { get; } = [];
    }

    /// <param name="listed">What a typed list says of its items, where they do not say it themselves.</param>
    private static void ReadObject(DocumentNode document, string file, ListedAs listed, Reading into)
    {
        var findings = new Findings();
        if (document is not MappingNode map)
        {
            into.Problems.Add(Whole(document, file, $"expected an object with apiVersion and kind, got {document.Kind}"));
            return;
        }
        var root = new Fields(map, null, findings);
        var (apiVersion, kind) = (root["apiVersion"].Word() ?? listed.ApiVersion, root["kind"].Word() ?? listed.Kind);
        if (apiVersion != null && kind == null && !root["items"].IsAbsent) CutOff(map, file, into);
        else if (apiVersion == null || kind == null)
            into.Problems.Add(Without(kind == null ? "kind" : "apiVersion", map, file));
        else if (kind.EndsWith(List, StringComparison.Ordinal) && !root["items"].IsAbsent) ReadItems(map, file, apiVersion, kind, into);
        else if (ByName.TryGetValue((apiVersion, kind), out var known) && into.Wants(known))
            into.Definitions.AddRange(Define(map, root, file, known, findings, into));
        else if (known == null && Guess(map, apiVersion, kind) is { Length: > 0 } guess)
            into.Problems.Add(Whole(document, file, $"{kind} of {apiVersion} has no effect here{guess}", ProblemSeverity.Warning) with
            {
                Object = $"{kind}/{NameOf(root)}",
                Field = "kind",
            });
        else if ((known == null ? IsOurs(apiVersion, kind) : IsCalicos(apiVersion)) && into.Named.Add((apiVersion, kind)))
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
        var listed = ListedAs.Of(apiVersion, kind);
        foreach (var item in sequence.Items) ReadObject(item, file, listed, into);
    }

    /// <summary>kubectl and calicoctl write a list's kind behind its items: who has the items without it has not got all of them.</summary>
    private static void CutOff(MappingNode map, string file, Reading into)
    {
        into.IsCutOff = true;
        into.Problems.Add(new(
            "", "kind", "expected the list's kind behind its items, got none, as where a file was cut off; what it said before stays", file,
            map.Line, ProblemSeverity.Error));
    }

    /// <summary>Of a group we know, in a version or with a kind that we do not.</summary>
    private static bool IsOurs(string apiVersion, string kind) =>
        IsCalicos(apiVersion) || Known.Contains((GroupOf(apiVersion), kind));

    /// <summary>Of a kind that is most likely misspelt: which is meant.</summary>
    private static string Guess(MappingNode map, string apiVersion, string kind)
    {
        var group = GroupOf(apiVersion);
        if (Known.Contains((group, kind)) || map.Entries.FirstOrDefault(entry => entry.Key.Text == "kind") is not { Value: { } said })
            return "";
        return Spelling.Guess(said, Known.Where(one => one.Group == group).Select(one => one.Kind));
    }

    private static string NameOf(Fields root)
    {
        var metadata = root["metadata"].Section();
        return string.Join('/', ((string?[])[metadata["namespace"].Word(), metadata["name"].Word()]).OfType<string>());
    }

    private static bool IsCalicos(string apiVersion) => GroupOf(apiVersion) is CalicoGroup or CrdGroup;

    private static string GroupOf(string apiVersion) =>
        apiVersion.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? apiVersion[..slash] : "";

    private static ResourceProblem Whole(
        DocumentNode at, string file, string reason, ProblemSeverity severity = ProblemSeverity.Error) =>
        new("", "", reason, file, at.Line, severity);

    /// <summary>Values for a chart, a kustomization, notes: such files lie beside manifests and are nobody's mistake.</summary>
    private static ResourceProblem Without(string field, MappingNode map, string file) =>
        new("", field, $"expected an object, got one without {field}: it has no effect here", file, map.Line, ProblemSeverity.Warning);

    private static IEnumerable<ResourceDefinition> Define(
        MappingNode map, Fields root, string file, ResourceKind kind, Findings findings, Reading into)
    {
        var metadata = Metadata(root["metadata"].Section(), kind, findings);
        if (metadata == null)
        {
            into.Problems.AddRange(findings.Problems(kind.Word, file));
            return [];
        }
        var resource = kind.Read(metadata, root);
        var id = new ResourceId(kind, resource.Key);
        return
        [
            new(id, findings.HasErrors ? null : resource, map.Line, [.. findings.Problems(id.ToString(), file)], map.Size)
            {
                WhileRefused = findings.HasErrors ? kind.WhileRefused(resource) : null,
            },
        ];
    }

    /// <summary>Null, and an error, without a name that could be one.</summary>
    private static Metadata? Metadata(Fields fields, ResourceKind kind, Findings findings)
    {
        var name = fields["name"].Word(253);
        if (name == null && !fields["name"].IsAbsent && findings.HasErrors) return null;
        if (name == null || !NamePattern().IsMatch(name))
        {
            var got = name == null ? "nothing" : $"\"{name}\"";
            const string expected = "expected a name of lower-case letters, digits, - and . (- and . between others)";
            fields.Error("name", $"{expected}, got {got}");
            return null;
        }
        var labels = fields["labels"].Labels();
        var annotations = fields["annotations"].Labels().Without(Applied);
        if (annotations.TryGetValue(Overlay, out var json))
            (labels, annotations) = Overlaid(labels, annotations, json, fields["annotations"]);
        var space = kind.IsNamespaced ? fields["namespace"].Word() ?? "default" : "";
        if (space.Length > 0 && !NamespacePattern().IsMatch(space))
        {
            fields.Error("namespace", $"expected a name of at most 63 lower-case letters, digits and -, got \"{space}\"");
            return null;
        }
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

/// <summary>What a list says of items that do not say it themselves; null: nothing.</summary>
public readonly record struct ListedAs(string? ApiVersion, string? Kind)
{
    internal static ListedAs Of(string apiVersion, string kind) =>
        kind == ResourceJson.List ? default : new(apiVersion, kind[..^ResourceJson.List.Length]);
}
