namespace Calico.Bgp.Rib;

/// <summary>Knobs of the decision process (RFC 4271 section 9.1.2.2); the defaults are BIRD's.</summary>
public sealed record DecisionSettings
{
    /// <summary>Compare the MED of routes from different neighbouring ASes too.</summary>
    public bool AlwaysCompareMed { get; init; }
    /// <summary>Group by neighbouring AS before the MED is compared, so that the order of arrival does not matter.</summary>
    public bool DeterministicMed { get; init; } = true;
    /// <summary>A missing MED counts as the worst instead of 0.</summary>
    public bool MissingMedWorst { get; init; }
    /// <summary>RFC 5004: between external routes the older one stays.</summary>
    public bool PreferOlder { get; init; }
    /// <summary>Equal routes that are used together; 1: no multipath.</summary>
    public int MultipathLimit { get; init; } = 1;
    /// <summary>Multipath also over different AS paths of equal length.</summary>
    public bool MultipathRelax { get; init; }
    /// <summary>RFC 4271 9.1.2.2: the AS path's length may be ignored.</summary>
    public bool IgnoreAsPathLength { get; init; }
    /// <summary>RFC 9774: a route with an AS_SET in its path is treated as withdrawn. BIRD's default since 2.18.</summary>
    public bool RejectAsSets { get; init; } = true;
}
