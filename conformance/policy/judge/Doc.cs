using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>A place in a YAML document, there or not: scalars are text, whatever they look like.</summary>
internal readonly record struct Doc(object? Value)
{
    private static readonly IDeserializer Reader = new DeserializerBuilder().Build();

    public static IEnumerable<Doc> ReadAll(string yaml)
    {
        var parser = new Parser(new StringReader(yaml));
        parser.Consume<StreamStart>();
        while (parser.Accept<DocumentStart>(out _))
            if (Reader.Deserialize(parser) is { } document) yield return new(document);
    }

    public bool IsThere => Value != null;

    public Doc this[string key] => new(Value is IDictionary<object, object> map && map.TryGetValue(key, out var found) ? found : null);

    public IEnumerable<Doc> Items => Value is List<object> list ? list.Select(item => new Doc(item)) : [];

    public string? Text => Value as string is { Length: > 0 } text ? text : null;

    public bool IsTrue => Text == "true";

    public int Number => int.Parse(Text!, null);

    public IEnumerable<string> Texts => Items.Select(item => item.Text!);

    public Dictionary<string, string> Map => Value is IDictionary<object, object> map
        ? map.ToDictionary(pair => (string)pair.Key, pair => pair.Value as string ?? "") : [];

    public string Kind => this["kind"].Text!;
    public string Name => this["metadata"]["name"].Text!;
    public string Namespace => this["metadata"]["namespace"].Text ?? "default";
    public Dictionary<string, string> Labels => this["metadata"]["labels"].Map;
}
