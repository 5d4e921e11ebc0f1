namespace Calico.Bgp.Conformance.Bird;

/// <summary>What a running function sees: its own variables, then the route's attributes.</summary>
internal sealed class Frame(BirdConfig config, BirdRoute route)
{
    private readonly Dictionary<string, object?> variables = [];

    public BirdConfig Config => config;
    public BirdRoute Route => route;

    public object? this[string name] => variables.TryGetValue(name, out var value) ? value : route[Known(name)];

    public bool Has(string name) => variables.TryGetValue(name, out var value) ? value != null : route.Has(Known(name));

    public void Declare(string name, object? value) => variables[name] = value;

    public void Set(string name, object? value)
    {
        if (variables.ContainsKey(name)) variables[name] = value;
        else route.Set(Known(name), value);
    }

    private static string Known(string name) =>
        BirdRoute.Attributes.ContainsKey(name) ? name : throw new BirdException($"{name} is neither a variable nor an attribute");
}
