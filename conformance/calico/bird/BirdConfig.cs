// One family's configuration as confd writes it: three files, the first of which includes the others. Everything in it is known here,
// or reading it fails.
using System.Collections.Immutable;
using System.Net;

namespace Calico.Bgp.Conformance.Bird;

internal sealed class BirdConfig
{
    private readonly Dictionary<string, Function> functions = [];
    private readonly Dictionary<string, Statement> filters = [];
    private readonly Dictionary<string, Protocol> templates = [];
    private readonly List<Protocol> protocols = [];

    public IPAddress? RouterId { get; private set; }
    public uint ListenPort { get; private set; } = 179;
    public IPAddress? ListenAddress { get; private set; }

    public IEnumerable<Peer> Peers => protocols.OfType<Peer>();
    public IEnumerable<StaticRoute> Routes => protocols.OfType<StaticProtocol>().SelectMany(one => one.Routes);
    public DirectProtocol Direct => protocols.OfType<DirectProtocol>().Single();
    public KernelProtocol Kernel => protocols.OfType<KernelProtocol>().Single();

    /// <summary>The local AS that the template of the peers has; none when the family has no address.</summary>
    public uint? LocalAs => templates.Values.OfType<Peer>().SingleOrDefault()?.LocalAs;

    public static BirdConfig Load(string file)
    {
        var config = new BirdConfig();
        config.Include(file);
        return config;
    }

    public static BirdConfig Parse(string text)
    {
        var config = new BirdConfig();
        config.Read("text", new("text", text));
        return config;
    }

    public Function Function(string name) => functions.GetValueOrDefault(name) ?? throw new BirdException($"there is no function {name}");

    public Statement Filter(string name) => filters.GetValueOrDefault(name) ?? throw new BirdException($"there is no filter {name}");

    /// <summary>What a filter says of a route; the route is changed as the filter changes it.</summary>
    public bool Accepts(Statement filter, BirdRoute route) => filter.Run(new(this, route)) switch
    {
        Flow.Accept => true,
        Flow.Reject => false,
        var flow => throw new BirdException($"the filter ended with {flow}, without accept or reject"),
    };

    private void Include(string file) => Read(file, new(Path.GetFileName(file), File.ReadAllText(file)));

    private void Read(string file, Tokens tokens)
    {
        while (!tokens.AtEnd)
            Top(tokens.Name(), file, tokens);
    }

    private void Top(string word, string file, Tokens tokens)
    {
        switch (word)
        {
            case "include": Include(Path.Combine(Path.GetDirectoryName(file)!, tokens.Text())); tokens.Expect(";"); break;
            case "router": Global(Item.Read(word, tokens)); break;
            case "listen": Global(Item.Read(word, tokens)); break;
            case "function": Add(functions, tokens, new FilterParser(tokens).Function); break;
            case "filter": Add(filters, tokens, _ => new FilterParser(tokens).Body()); break;
            case "template": Add(templates, tokens, tokens.Name(), (kind, name) => ProtocolParser.Read(this, tokens, kind, name)); break;
            case "protocol": protocols.Add(ProtocolParser.Read(this, tokens, tokens.Name())); break;
            default: throw tokens.Wrong($"\"{word}\" is no statement that is known here");
        }
    }

    private static void Add<T>(Dictionary<string, T> to, Tokens tokens, Func<string, T> read)
    {
        var name = tokens.Name();
        if (!to.TryAdd(name, read(name))) throw tokens.Wrong($"a second {name}");
    }

    private static void Add<T>(Dictionary<string, T> to, Tokens tokens, string kind, Func<string, string, T> read) =>
        Add(to, tokens, name => read(kind, name));

    private void Global(string[] item)
    {
        switch (item)
        {
            case ["router", "id", var id]: RouterId = IPAddress.Parse(id); break;
            case ["listen", "bgp", "port", var port]: ListenPort = uint.Parse(port); break;
            case ["listen", "bgp", "address", var address]: ListenAddress = IPAddress.Parse(address); break;
            case ["listen", "bgp", "address", var address, "port", var port]:
                (ListenAddress, ListenPort) = (IPAddress.Parse(address), uint.Parse(port));
                break;
            default: throw Item.Unknown("the configuration", item);
        }
    }

    public Protocol Template(string name) => templates.GetValueOrDefault(name) ?? throw new BirdException($"there is no template {name}");
}

/// <summary>One setting: its words, up to the semicolon.</summary>
internal static class Item
{
    public static string[] Read(string first, Tokens tokens)
    {
        var words = new List<string> { first };
        while (!tokens.TryTake(";"))
            words.Add(tokens.AtEnd ? throw tokens.Unexpected(";") : tokens.Take().Text);
        return [.. words];
    }

    public static BirdException Unknown(string where, string[] item) => new($"{where}: \"{string.Join(' ', item)}\" is not known here");
}
