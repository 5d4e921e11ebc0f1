using System.Collections.Immutable;

namespace Calico.Bgp.Resources.Policies;

public enum TierDefault : byte { Deny, Pass }

/// <summary>Policies that are asked together; what none of them decides is denied or left to the next tier.</summary>
public sealed record Tier(Metadata Metadata) : Resource(Metadata), IComparable<Tier>
{
    public const string Default = "default";
    internal const string Admin = "kube-admin", Baseline = "kube-baseline",
        OldAdmin = "adminnetworkpolicy", OldBaseline = "baselineadminnetworkpolicy";

    /// <summary>
    /// Tiers that are there although no object says so, and that none can make otherwise; the last two are what the others were called up
    /// to Calico 3.31.
    /// </summary>
    internal static readonly ImmutableArray<Tier> BuiltIn =
    [
        Fixed(Admin, 1000, TierDefault.Pass), Fixed(Default, 1_000_000, TierDefault.Deny), Fixed(Baseline, 10_000_000, TierDefault.Pass),
        Fixed(OldAdmin, 1000, TierDefault.Pass), Fixed(OldBaseline, 10_000_000, TierDefault.Pass),
    ];

    public override ResourceKind Kind => Kinds.Tier;

    /// <summary>Null: after all that have one.</summary>
    public double? Order { get; init; }
    public TierDefault DefaultAction { get; init; }

    private static Tier Fixed(string name, double order, TierDefault otherwise) =>
        new(new Metadata(name)) { Order = order, DefaultAction = otherwise };

    /// <summary>In which they are asked.</summary>
    public int CompareTo(Tier? other)
    {
        if (other == null) return 1;
        var order = (Order ?? double.PositiveInfinity).CompareTo(other.Order ?? double.PositiveInfinity);
        return order != 0 ? order : string.CompareOrdinal(Name, other.Name);
    }

    public static bool operator <(Tier a, Tier b) => a.CompareTo(b) < 0;
    public static bool operator >(Tier a, Tier b) => a.CompareTo(b) > 0;
    public static bool operator <=(Tier a, Tier b) => a.CompareTo(b) <= 0;
    public static bool operator >=(Tier a, Tier b) => a.CompareTo(b) >= 0;
}
