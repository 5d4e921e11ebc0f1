using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>Names of DNS policy, wherever an object has some.</summary>
internal static class DomainReader
{
    /// <summary>Whatever else says where packets go: names and this would be asked of one address.</summary>
    private static readonly string[] NotBesideDomains =
        ["nets", "selector", "notSelector", "namespaceSelector", "serviceAccounts", "services"];

    public static DomainPattern? Name(Field field)
    {
        field.Require("a name");
        if (field.Text() is not { } text) return null;
        if (!DomainPattern.TryParse(text, out var pattern, out var error)) field.Error(error);
        else if (pattern.IsOfTheCluster)
            field.Warn("is a name of the cluster's own: pods are judged behind their services, whose addresses never match; "
                + "a headless service's name does");
        return pattern;
    }

    /// <summary>As network-policy-api writes them (NPEP-133).</summary>
    public static DomainPattern? NameOrPrefixStar(Field field)
    {
        var pattern = Name(field);
        if (pattern?.HasInnerStar == true) field.Error($"expected * in front alone, got \"{pattern}\"");
        return pattern;
    }

    /// <param name="end">One end of a rule.</param>
    /// <param name="unlike">Why it may have no names; null: it may.</param>
    public static ListOf<DomainPattern> Of(Fields end, string? unlike)
    {
        var field = end["domains"];
        if (field.IsAbsent || field.IsEmptyList) return [];
        if (unlike != null) end.Error("domains", unlike);
        var names = field.List(Name);
        foreach (var other in NotBesideDomains)
            if (!end[other].IsAbsent && !end[other].IsEmptyList) end.Error(other, "cannot stand beside domains");
        return [.. names.Distinct()];
    }
}
