namespace Calico.Bgp.Resources.Documents;

/// <summary>One object as a server spells it in JSON: what names it can be asked before it is read (<see cref="ResourceJson"/>).</summary>
public sealed class ApiObject
{
    /// <summary>Members of metadata, spec and status that a server keeps for others, and that can be larger than all the rest.</summary>
    private static readonly JsonNames Unread =
        new(["managedFields", "ownerReferences", "conditions", "images", "volumesInUse", "volumesAttached", "nodeInfo"]);

    private readonly MappingNode? metadata;

    private ApiObject(MappingNode root)
    {
        Root = root;
        metadata = Member(root, "metadata") as MappingNode;
        Key = new(Word("namespace"), Word("name"));
    }

    internal MappingNode Root { get; }

    public ResourceKey Key { get; }

    /// <summary>The server's count of its writes: for comparing with what it said before, no more. Empty: it said none.</summary>
    public string Version => Word("resourceVersion");

    /// <summary>Null: there is none of this name.</summary>
    public string? Annotation(string name) => (Member(Member(metadata, "annotations"), name) as ScalarNode)?.Text;

    /// <param name="error">What is wrong with it as JSON, where the result is null.</param>
    public static ApiObject? Parse(ReadOnlySpan<byte> utf8, out string? error)
    {
        var root = JsonTree.Read(utf8, 0, out error, Unread);
        if (root is MappingNode map) return new(map);
        error ??= $"expected an object, got {root!.Kind}";
        return null;
    }

    private string Word(string name) => (Member(metadata, name) as ScalarNode)?.Text ?? "";

    private static DocumentNode? Member(DocumentNode? of, string name)
    {
        if (of is not MappingNode map) return null;
        foreach (var entry in map.Entries)
            if (entry.Key.Text == name) return entry.Value;
        return null;
    }
}
