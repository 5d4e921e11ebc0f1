namespace Calico.Bgp.Conformance.Policy;

/// <summary>NetworkPolicy and GlobalNetworkPolicy (2.2). What is staged is no policy: nothing of it is enforced.</summary>
internal sealed class CalicoPolicies(RuleReader rules)
{
    public Policy? Read(Doc doc)
    {
        if (doc["apiVersion"].Text != "projectcalico.org/v3" || doc.Kind is not ("NetworkPolicy" or "GlobalNetworkPolicy")) return null;
        var spec = doc["spec"];
        var space = doc.Kind == "NetworkPolicy" ? doc.Namespace : null;
        var (says, applies) = (Types(spec), AppliesTo(spec, space));
        return new(doc.Kind, space ?? "", doc.Name)
        {
            Tier = spec["tier"].Text ?? "default",
            Order = World.OrderOf(doc),
            AppliesTo = item => (space == null || item.Kind == ItemKind.Workload) && applies.Holds(item.Labels),
            Hook = spec["doNotTrack"].IsTrue ? Hook.Untracked : spec["preDNAT"].IsTrue ? Hook.PreDnat : Hook.Normal,
            OnForward = spec["applyOnForward"].IsTrue,
            Ingress = says.Contains("Ingress") ? rules.Read(spec["ingress"], space) : null,
            Egress = says.Contains("Egress") ? rules.Read(spec["egress"], space) : null,
        };
    }

    private static Selector AppliesTo(Doc spec, string? space)
    {
        var applies = Selector.Parse(spec["selector"].Text ?? "");
        if (space != null) applies = applies.And(Selector.Is(World.NamespaceLabel, space));
        if (spec["namespaceSelector"].Text is { } spaces) applies = applies.And(RuleReader.OfNamespaces(spaces));
        if (spec["serviceAccountSelector"].Text is { } accounts) applies = applies.And(RuleReader.OfAccounts(accounts));
        return applies;
    }

    private static string[] Types(Doc spec)
    {
        if (spec["types"].IsThere) return [.. spec["types"].Texts];
        var (ingress, egress) = (spec["ingress"].Items.Any(), spec["egress"].Items.Any());
        return egress ? ingress ? ["Ingress", "Egress"] : ["Egress"] : ["Ingress"];
    }
}
