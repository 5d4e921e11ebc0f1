using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Selectors;

/// <summary>
/// Profiles by name, kept as the objects change that say them: Profiles, and for those that there are none of Namespaces (<c>kns.X</c>) and
/// ServiceAccounts (<c>ksa.X.Y</c>).
/// </summary>
internal sealed class ProfileTable
{
    /// <summary>The objects, and no profile made of them: most are never asked for.</summary>
    private readonly Dictionary<string, (Resource? Own, Resource? Given)> objects = new(StringComparer.Ordinal);

    /// <summary>Null: nobody says what it is.</summary>
    public Profile? this[string name] => objects.TryGetValue(name, out var known) ? Of(known.Own ?? known.Given) : null;

    public Labels LabelsOf(string name) => this[name]?.LabelsToApply ?? Labels.Empty;

    /// <returns>The profile that may be another now; null: none.</returns>
    public string? Apply(ResourceChange change)
    {
        if (Of(change.After ?? change.Before)?.Name is not { } name) return null;
        var known = objects.GetValueOrDefault(name);
        known = change.Kind == Kinds.Profile ? known with { Own = change.After } : known with { Given = change.After };
        if (known == default) objects.Remove(name);
        else objects[name] = known;
        return name;
    }

    private static Profile? Of(Resource? said) => said switch
    {
        Profile profile => profile,
        KubernetesNamespace given => given.Profile,
        ServiceAccount given => given.Profile,
        _ => null,
    };
}
