using System.Globalization;
using System.Text.RegularExpressions;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

internal static partial class TierReader
{
    /// <summary>Without a dot: it stands before others' names.</summary>
    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z")]
    private static partial Regex TierName();

    public static Tier Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        if (!TierName().IsMatch(metadata.Name))
            root["metadata"].Section().Error(
                "name", $"expected a tier's name of at most 63 lower-case letters, digits and -, without a dot, got \"{metadata.Name}\"");
        var tier = new Tier(metadata)
        {
            Order = spec["order"].Real(),
            DefaultAction = spec["defaultAction"].Choice<TierDefault>() ?? Default(metadata.Name),
        };
        spec.RefuseOthers();
        CheckFixed(tier, spec);
        return tier;
    }

    private static Tier? FixedOne(string name) => Tier.BuiltIn.FirstOrDefault(tier => tier.Name == name);

    private static TierDefault Default(string name) => FixedOne(name)?.DefaultAction ?? TierDefault.Deny;

    private static void CheckFixed(Tier tier, Fields spec)
    {
        if (FixedOne(tier.Name) is not { } given) return;
        if (tier.Order != given.Order)
            spec.Error("order", string.Create(
                CultureInfo.InvariantCulture, $"the tier {tier.Name} has the order {given.Order}, got {tier.Order ?? (object)"nothing"}"));
        if (tier.DefaultAction != given.DefaultAction)
            spec.Error("defaultAction", $"the tier {tier.Name} has {given.DefaultAction}, got {tier.DefaultAction}");
    }

    /// <summary>As policies name it.</summary>
    public static string? NameOf(Field field)
    {
        if (field.Word() is not { } name) return null;
        if (TierName().IsMatch(name)) return Repeats.Of(name);
        field.Error($"expected a tier's name, got \"{name}\"");
        return null;
    }
}
