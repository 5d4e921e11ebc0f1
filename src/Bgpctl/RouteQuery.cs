namespace Calico.Bgp.Bgpctl;

/// <summary>What <c>bgpctl routes</c> asks for; null: not said.</summary>
internal sealed record RouteQuery
{
    public string? Prefix { get; init; }
    public bool Inside { get; init; }
    public string? Peer { get; init; }
    public string? Family { get; init; }
    public string? Selection { get; init; }

    public string Path(bool lines)
    {
        // A peer's tables are named by "peer"; in our own table "protocol" narrows to what a peer brought.
        var table = Selection is "received" or "advertised";
        var words = new (string Key, string? Value)[]
        {
            ("prefix", Prefix), ("scope", Inside && Prefix != null ? "in" : null), ("family", Family), ("selection", Selection),
            (table ? "peer" : "protocol", Peer), ("format", lines ? "ndjson" : null),
        };
        var said = words.Where(word => word.Value != null).Select(word => $"{word.Key}={Uri.EscapeDataString(word.Value!)}").ToArray();
        return said.Length == 0 ? "/v1/routes" : $"/v1/routes?{string.Join('&', said)}";
    }
}
