using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Resources.Tests;

/// <summary>Objects written as an operator writes them.</summary>
internal static class Manifest
{
    private static readonly YamlLimits Limits = new(Depth: 64, Size: 100_000, Tags: true);

    public static DocumentNode Tree(string yaml)
    {
        var document = YamlTree.Read(yaml, 1, Limits, out var mistake);
        Assert.Null(mistake);
        Assert.NotNull(document);
        return document;
    }

    public static ResourceReading Read(string yaml) => ResourceJson.Read([Tree(yaml)], "test.yaml");

    /// <summary>The one object of a document that nothing is wrong with.</summary>
    public static T One<T>(string yaml) where T : Resource
    {
        var reading = Read(yaml);
        Assert.Empty(reading.Problems);
        var definition = Assert.Single(reading.Definitions);
        Assert.Empty(definition.Problems);
        return Assert.IsType<T>(definition.Value);
    }

    public static T One<T>(string kind, string spec) where T : Resource
    {
        var definition = Assert.Single(Read(Calico(kind, spec)).Definitions);
        Assert.Empty(definition.Problems);
        return Assert.IsAssignableFrom<T>(definition.Value);
    }

    public static string Calico(string kind, string spec, string name = "default") =>
        $"{{ apiVersion: projectcalico.org/v3, kind: {kind}, metadata: {{ name: {name} }}, spec: {{ {spec} }} }}";

    public static ResourceDefinition Definition(Resource resource) => new(resource.Id, resource, 1, []);
}
