using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>A translation as it is known here.</summary>
/// <param name="Id">Stays while its source has the key.</param>
/// <param name="InForce">False: another source has a translation with the same key, and comes before.</param>
public sealed record TranslationRow(int Id, TranslationSource Source, Translation Translation, bool InForce)
{
    /// <summary>Why nothing is translated by it; null: something is.</summary>
    public string? Problem { get; init; }

    /// <summary>Which it is, and whose.</summary>
    public string Words =>
        $"translation {Id} ({Source.Word()}{(Translation.Name.Length > 0 ? $", {Translation.Name}" : "")})";

    /// <summary>What of it may be otherwise than was meant, though it is in force.</summary>
    public ListOf<string> Warnings { get; init; } = [];

    /// <summary>Whose it would be, too, and who are not reached by it.</summary>
    public ListOf<string> Others { get; init; }

    /// <summary>So long it stays, though Kubernetes has it no longer.</summary>
    public TimeSpan? Left { get; init; }

    /// <summary>Of Maglev's table that chooses among its backends; null: none does.</summary>
    public string? Digest { get; init; }
}

/// <summary>What of services those who look in may see.</summary>
public sealed record ServicesView(bool Enabled, ImmutableArray<TranslationRow> Translations)
{
    public static readonly ServicesView Off = new(false, []);

    /// <summary>What is not done of what was asked for, and why.</summary>
    public ImmutableArray<string> Problems { get; init; } = [];

    /// <summary>Those of them that are of one object.</summary>
    public ImmutableArray<ServiceProblem> OfObjects { get; init; } = [];

    internal ServicesView With(IEnumerable<string> more, IEnumerable<ServiceProblem> ofObjects) => this with
    {
        Problems = [.. Problems, .. more, .. ofObjects.Select(one => one.ToString())],
        OfObjects = [.. OfObjects, .. ofObjects],
    };
}

/// <summary>What is not done of what a Service, or a pod, asks for, and why.</summary>
/// <param name="Object">Service/NAMESPACE/NAME.</param>
public sealed record ServiceProblem(string Object, string Words)
{
    public override string ToString() => $"{Object}: {Words}";
}

/// <summary>The same in a few words.</summary>
/// <param name="Translations">Of those with one key one is counted.</param>
/// <param name="Waiting">Of these: nothing is translated by them, as an interface has no address.</param>
/// <param name="Problems">What is not done of what was asked for, and why.</param>
public sealed record ServicesStatus(bool Enabled, int Translations, int Waiting, ImmutableArray<string> Problems)
{
    public static readonly ServicesStatus Off = new(false, 0, 0, []);

    /// <summary>Those of the problems by which whoever comes to this node is sent elsewhere.</summary>
    public ImmutableArray<string> NodeTaken { get; init; } = [];

    /// <summary>They are to be translated, and nothing is known of the objects yet: what was in force before is so still.</summary>
    public bool IsBeginning { get; init; }

    internal ServicesStatus With(IEnumerable<string> more, IEnumerable<ServiceProblem> ofObjects) => !Enabled ? this
        : this with { Problems = [.. Problems, .. more, .. ofObjects.Select(one => one.ToString())] };
}

/// <summary>
/// All translations, of all sources: to put one whose key its source has already is to change that one, and what is the same changes
/// nothing. Belongs to the dataplane's loop.
/// </summary>
public sealed class TranslationTable
{
    /// <summary>In the order in which they hold.</summary>
    private static readonly TranslationSource[] Sources = Enum.GetValues<TranslationSource>();

    private readonly Dictionary<(TranslationSource Source, TranslationKey Key), (int Id, Translation Translation)> all = [];
    private readonly Dictionary<int, (TranslationSource Source, TranslationKey Key)> byId = [];
    private readonly HashSet<TranslationKey> touched = [];
    private int newest = -1;

    /// <summary>By their ids.</summary>
    public IEnumerable<TranslationRow> Rows => byId.OrderBy(one => one.Key).Select(one => Row(one.Key)!);

    public TranslationRow? Row(int id) => byId.TryGetValue(id, out var known)
        ? Holder(known.Key) is { } holder && holder.Source != known.Source
            ? new(id, known.Source, all[known].Translation, InForce: false)
            {
                Problem = $"{Row(all[(holder.Source, known.Key)].Id)!.Words} has its address, protocol and port",
            }
            : new(id, known.Source, all[known].Translation, InForce: true)
        : null;

    /// <summary>So many more are about to come. Few find room by the tables' own growth, which doubles them.</summary>
    internal void EnsureRoom(int more)
    {
        if (more <= all.Count) return;
        all.EnsureCapacity(all.Count + more);
        byId.EnsureCapacity(byId.Count + more);
        touched.EnsureCapacity(touched.Count + more);
    }

    /// <returns>Its id: the old one, where its source had the key before.</returns>
    public int Put(TranslationSource source, Translation translation)
    {
        var known = all.TryGetValue((source, translation.Key), out var before);
        if (known && before.Translation == translation) return before.Id;
        var id = known ? before.Id : ++newest;
        all[(source, translation.Key)] = (id, translation);
        byId[id] = (source, translation.Key);
        touched.Add(translation.Key);
        return id;
    }

    /// <returns>False: the source has none of this id.</returns>
    public bool Remove(TranslationSource source, int id)
    {
        if (!byId.TryGetValue(id, out var known) || known.Source != source) return false;
        byId.Remove(id);
        all.Remove(known);
        touched.Add(known.Key);
        return true;
    }

    /// <summary>Whatever it has under the key.</summary>
    public void Remove(TranslationSource source, TranslationKey key)
    {
        if (all.TryGetValue((source, key), out var known)) Remove(source, known.Id);
    }

    /// <summary>What Kubernetes had under the key stays, behind all others, with its id.</summary>
    internal void Leave(TranslationKey key)
    {
        if (!all.Remove((TranslationSource.Kubernetes, key), out var known)) return;
        Remove(TranslationSource.Leaving, key);
        all[(TranslationSource.Leaving, key)] = known;
        byId[known.Id] = (TranslationSource.Leaving, key);
        touched.Add(key);
    }

    /// <summary>From now on the source has these and no others; of two with one key the later one.</summary>
    public void PutAll(TranslationSource source, IEnumerable<Translation> translations)
    {
        var keys = new HashSet<TranslationKey>();
        foreach (var translation in translations)
        {
            Put(source, translation);
            keys.Add(translation.Key);
        }
        foreach (var (id, known) in byId.ToArray())
            if (known.Source == source && !keys.Contains(known.Key)) Remove(source, id);
    }

    /// <summary>The one of the key that holds; null: none has it.</summary>
    public TranslationRow? InForce(TranslationKey key) => Holder(key) is { } holder ? Row(all[(holder.Source, key)].Id) : null;

    public bool Has(TranslationSource source, TranslationKey key) => all.ContainsKey((source, key));

    /// <summary>Of those that have the key the one that holds; null: none has it.</summary>
    internal (TranslationSource Source, Translation Translation)? Holder(TranslationKey key)
    {
        foreach (var source in Sources)
            if (all.TryGetValue((source, key), out var known)) return (source, known.Translation);
        return null;
    }

    /// <summary>What another source says of the key, and is not in force for the one that holds; null: nothing.</summary>
    internal TranslationRow? Behind(TranslationKey key)
    {
        foreach (var source in Sources)
            if (source != TranslationSource.Leaving && all.TryGetValue((source, key), out var known)
                && Row(known.Id) is { InForce: false } waiting) return waiting;
        return null;
    }

    /// <summary>The keys that something was put or removed under since this was last asked.</summary>
    internal TranslationKey[] TakeTouched()
    {
        var keys = touched.ToArray();
        touched.Clear();
        return keys;
    }
}
