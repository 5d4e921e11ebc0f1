using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Configuration;

/// <summary><c>services.snat</c>: other sources for what leaves, in the manner of VPP's cnat.</summary>
internal static class SourceNatReader
{
    public static SourceNatSettings Read(Section snat)
    {
        var policy = snat.Word("policy", SourceNatWords.Policies) ?? default;
        var interfaces = snat.Child("interfaces");
        var settings = new SourceNatSettings
        {
            Addresses = [.. Addresses(snat)],
            Policy = policy,
            Exclude = [.. snat.Values("exclude", Scalars.Prefix)],
            Include = interfaces == null ? [] : Interfaces(interfaces, "include"),
            Pods = interfaces == null ? [] : Interfaces(interfaces, "pod"),
            Hosts = interfaces == null ? [] : Interfaces(interfaces, "host"),
            Rewrite = [.. snat.Sections("rewrite").Select(Rewrite).OfType<PrefixRewrite>()],
        };
        interfaces?.Close();
        Check(snat, settings);
        snat.Close();
        return settings;
    }

    private static void Check(Section snat, SourceNatSettings settings)
    {
        var isDnat = settings.Policy == SourceNatPolicy.Dnat;
        if (isDnat != snat.Has("rewrite"))
            snat.Error("policy", $"expected {snat.Name("rewrite")} beside policy dnat, and beside no other, for {snat.Name("policy")}");
        if (isDnat && settings.Addresses.Count > 0)
            snat.Error("addresses", $"expected none beside policy dnat for {snat.Name("addresses")}: sources keep the rest of their own");
        if (settings.Policy != SourceNatPolicy.K8s && settings.Pods.Count + settings.Hosts.Count > 0)
            snat.Error("interfaces", $"expected pod and host beside policy k8s alone for {snat.Name("interfaces")}");
    }

    private static IEnumerable<SourceNatPlace> Addresses(Section snat)
    {
        var families = new HashSet<IpFamily>();
        foreach (var node in snat.List("addresses"))
        {
            var text = node is ScalarNode { IsNull: false } scalar ? scalar.Text : "";
            if (SourceNatWords.Place(text) is not { } place)
                snat.Problems.Error(
                    node, $"expected {SourceNatWords.PlaceWords} for {snat.Name("addresses")}, got {node.Kind}");
            else if (SourceNatWords.Unfit(place) is { } why)
                snat.Problems.Error(node, $"expected another address for {snat.Name("addresses")}, got {text}: {why}");
            else if (!families.Add(place.Family))
                snat.Problems.Error(node, $"expected one of each family for {snat.Name("addresses")}, got {text} as another of "
                    + place.Family.Word());
            else yield return place;
        }
    }

    private static ListOf<string> Interfaces(Section interfaces, string key)
    {
        var names = new List<string>();
        foreach (var node in interfaces.List(key))
        {
            var text = node is ScalarNode { IsNull: false } scalar ? scalar.Text : "";
            if (SourceNatWords.IsLink(text)) names.Add(text);
            else interfaces.Problems.Error(node,
                $"expected an interface's name, or how it begins with * behind it, for {interfaces.Name(key)}, got {node.Kind}");
        }
        return [.. names];
    }

    private static PrefixRewrite? Rewrite(Section one)
    {
        var (from, to) = (one.Value("from", Scalars.Prefix), one.Value("to", Scalars.Prefix));
        if (!one.Has("from") || !one.Has("to")) one.Problems.Error(one.Node, $"expected both from and to for {one.Name("from")}");
        one.Close();
        if (from is not { } before || to is not { } after) return null;
        if (before.Family == after.Family && before.Length == after.Length) return new(before, after);
        one.Error("to", $"expected a prefix of {before.Family.Word()} as long as {before} for {one.Name("to")}, got {after}");
        return null;
    }
}
