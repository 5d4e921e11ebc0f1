namespace Calico.Bgp.Conformance.Policy;

/// <summary>Objects of Calico's as text, by what differs between them.</summary>
internal static class Yaml
{
    public static string Global(string name, string spec) => Object("GlobalNetworkPolicy", $"name: {name}", spec);

    public static string Namespaced(string space, string name, string spec) =>
        Object("NetworkPolicy", $"name: {name}, namespace: {space}", spec);

    public static string Tier(string name, string spec) => Object("Tier", $"name: {name}", spec);

    public static string Set(string name, string labels, string nets, string? space = null) => Object(
        space == null ? "GlobalNetworkSet" : "NetworkSet",
        $$"""name: {{name}}, labels: { {{labels}} }{{(space == null ? "" : $", namespace: {space}")}}""", $"nets: [{nets}]");

    /// <summary>On the first node.</summary>
    public static string HostEndpoint(string name, string labels, string spec) =>
        Object("HostEndpoint", $$"""name: {{name}}, labels: { {{labels}} }""", "node: node1, " + spec);

    private static string Object(string kind, string metadata, string spec) => $$"""
        ---
        apiVersion: projectcalico.org/v3
        kind: {{kind}}
        metadata: { {{metadata}} }
        spec: { {{spec}} }

        """;
}
