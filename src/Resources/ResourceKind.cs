using System.Collections.Immutable;
using Calico.Bgp.Resources.Reading;

namespace Calico.Bgp.Resources;

/// <summary>Who makes something of objects of a kind. A change of what concerns nobody wakes nobody.</summary>
[Flags]
public enum Concern : byte
{
    Nobody = 0,
    /// <summary>The BGP plan of this node: peers, chains, routes, services.</summary>
    Plan = 1,
    /// <summary>Translation of what leaves the pools.</summary>
    Nat = 2,
    /// <summary>What this node reports of itself.</summary>
    Report = 4,
    /// <summary>What packets may pass.</summary>
    Policy = 8,
    /// <summary>Translation of what is sent to services.</summary>
    Services = 16,
    /// <summary>Which gateways pods leave the cluster by.</summary>
    Egress = 32,
    Anybody = Plan | Nat | Report | Policy | Services | Egress,
}

/// <summary>A spelling of a kind: its group and version in an API, and how they name one object and the collection.</summary>
/// <param name="Group">Empty: Kubernetes' core.</param>
/// <param name="Kind">As the object's own <c>kind</c> says it.</param>
/// <param name="Plural">As it stands in paths.</param>
public sealed record ApiName(string Group, string Version, string Kind, string Plural)
{
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Where an API server has them.</summary>
    /// <param name="within">Those of one namespace; empty: all.</param>
    public string Path(string within = "") =>
        $"/{(Group.Length == 0 ? "api" : "apis")}/{ApiVersion}/{(within.Length == 0 ? "" : $"namespaces/{within}/")}{Plural}";
}

/// <summary>
/// A kind of object as everybody knows it who passes objects on without asking what they are: its row in <see cref="Kinds"/>.
/// </summary>
public abstract class ResourceKind
{
    private protected ResourceKind(ImmutableArray<ApiName> names) => (Names, Whole, Word) = (names, this, names[0].Kind);

    /// <summary>All spellings that are read; what is written back, or asked for where there is a choice, is the first's.</summary>
    public ImmutableArray<ApiName> Names { get; }

    /// <summary>As the object's own <c>kind</c> says it, but where two groups have a kind of one name.</summary>
    public string Word { get; init; }

    public bool IsNamespaced { get; init; }

    /// <summary>An API server tells the same by another kind, and is not asked for this one.</summary>
    public bool IsMirrored { get; init; }

    /// <summary>Its objects change with each pod of the cluster: what every node would be told by a server none asks for; folders alone
    /// bring them.</summary>
    public bool ChangesWithPods { get; init; }

    public Concern Concerns { get; init; }

    /// <summary>One of these makes something of its objects: who reads over a network asks for no others.</summary>
    public bool IsFor(Concern wanted) => (Whole.Concerns & wanted) != 0;

    /// <summary>Explanations name its objects, and where each is defined.</summary>
    public bool IsExplained { get; init; }

    /// <summary>What readers see these objects as: itself, but where an object has two halves that different places define.</summary>
    public ResourceKind Whole { get; private protected set; }

    /// <summary>Objects that count where nobody defines one of their names.</summary>
    internal abstract IEnumerable<Resource> BuiltIn { get; }

    internal bool IsBuiltIn(Resource resource) => BuiltIn.Any(one => ReferenceEquals(one, resource));

    internal abstract ResourceTable NoObjects { get; }

    internal abstract Resource Read(Metadata metadata, Fields root);

    /// <summary>What of a refused object counts where no version was ever good; null: nothing.</summary>
    internal abstract Resource? WhileRefused(Resource refused);

    /// <summary>What counts for readers.</summary>
    /// <param name="winner">The winning definition of any kind; null: there is none.</param>
    internal abstract Resource? Effective(ResourceKey key, Func<ResourceId, Resource?> winner);

    internal int CompareTo(ResourceKind other)
    {
        if (ReferenceEquals(this, other)) return 0;
        var order = string.CompareOrdinal(Word, other.Word);
        return order != 0 ? order : string.CompareOrdinal(Names[0].Group, other.Names[0].Group);
    }

    public override string ToString() => Word;
}

/// <summary>The row of a kind whose objects are <typeparamref name="T"/>.</summary>
public sealed class KindOf<T> : ResourceKind where T : Resource
{
    private readonly Func<Metadata, Fields, T> read;
    private readonly KindOf<T>? half;

    internal KindOf(ImmutableArray<ApiName> names, Func<Metadata, Fields, T> read) : base(names)
    {
        this.read = read;
        Empty = new(this);
    }

    /// <summary>Another kind whose objects tell more of those of the same name; readers see both as one, joined by
    /// <see cref="Join"/>.</summary>
    internal KindOf<T>? Half
    {
        get => half;
        init
        {
            half = value;
            if (value != null) value.Whole = this;
        }
    }

    /// <summary>An object's own definition and its other half, one of which may be missing → the object.</summary>
    internal Func<T?, T?, T?>? Join { get; init; }

    /// <summary>Objects are asked for by this too (<see cref="ResourceTable{T}.Under"/>). Null: they are not; a null key: this one is
    /// not.</summary>
    internal Func<T, ResourceKey?>? Under { get; init; }

    /// <summary>What is missing where such an object does not count at all, and that it was there: null, or a lesser object.</summary>
    internal Func<T, T?>? Less { get; init; }

    /// <summary>Few: they are looked through.</summary>
    internal ImmutableArray<T> Given { get; init; } = [];

    internal override IEnumerable<Resource> BuiltIn => Given;

    internal ResourceTable<T> Empty { get; }
    internal override ResourceTable NoObjects => Empty;
    internal override Resource Read(Metadata metadata, Fields root) => read(metadata, root);
    internal override Resource? WhileRefused(Resource refused) => Less?.Invoke((T)refused);

    internal override Resource? Effective(ResourceKey key, Func<ResourceId, Resource?> winner)
    {
        var own = winner(new(this, key)) ?? Given.FirstOrDefault(one => one.Key == key);
        return Half == null ? own : Join!((T?)own, (T?)winner(new(Half, key)));
    }
}
