using System.Text.Json.Nodes;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>Our table in the kernel, so that two looks at it compare: elements in order, without what has been counted.</summary>
internal static class TableText
{
    /// <param name="site"></param>
    /// <param name="withHandles">A part that was written again has another.</param>
    public static async Task<IReadOnlyList<string>> ReadAsync(PolicySite site, bool withHandles = false)
    {
        var listing = JsonNode.Parse(await site.Node.DoAsync("nft", "-j", "list", "table", "inet", "bgpd"))!["nftables"]!.AsArray();
        return [.. listing.Select(one => Line(one!.AsObject().First(), withHandles)).Order(StringComparer.Ordinal)];
    }

    /// <summary>Rules stand behind one another by their place in the listing, which is that of their handles.</summary>
    private static string Line(KeyValuePair<string, JsonNode?> part, bool withHandles)
    {
        var value = part.Value!.AsObject();
        if (!withHandles) value.Remove("handle");
        Forget(value);
        if (value["elem"] is JsonArray elements)
            value["elem"] = new JsonArray([.. elements.Select(one => one!.ToJsonString()).Order(StringComparer.Ordinal)
                .Select(one => (JsonNode)one)]);
        return $"{part.Key} {value.ToJsonString()}";
    }

    private static void Forget(JsonNode? node)
    {
        if (node is JsonArray all)
            foreach (var one in all) Forget(one);
        if (node is not JsonObject fields) return;
        foreach (var counted in (string[])["packets", "bytes"])
            if (fields.ContainsKey(counted)) fields[counted] = 0;
        foreach (var (_, inner) in fields) Forget(inner);
    }
}
