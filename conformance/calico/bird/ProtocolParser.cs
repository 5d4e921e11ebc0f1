namespace Calico.Bgp.Conformance.Bird;

/// <summary><c>protocol bgp NAME from TEMPLATE { … }</c>, and templates, which differ only in being kept.</summary>
internal static class ProtocolParser
{
    public static Protocol Read(BirdConfig config, Tokens tokens, string kind) =>
        Read(config, tokens, kind, tokens.At("from") || tokens.At("{") ? kind : tokens.Name());

    public static Protocol Read(BirdConfig config, Tokens tokens, string kind, string name)
    {
        var protocol = tokens.TryTake("from") ? config.Template(tokens.Name()) with { Name = name } : Empty(tokens, kind, name);
        tokens.Expect("{");
        while (!tokens.TryTake("}"))
            protocol = tokens.At("import") || tokens.At("export") ? WithFilter(config, tokens, protocol) : protocol.With(Words(tokens));
        return protocol;
    }

    private static Protocol Empty(Tokens tokens, string kind, string name) => kind switch
    {
        "bgp" => new Peer(name),
        "kernel" => new KernelProtocol(name),
        "device" => new DeviceProtocol(name),
        "direct" => new DirectProtocol(name, []),
        "static" => new StaticProtocol(name, []),
        _ => throw tokens.Wrong($"\"{kind}\" is no protocol that is known here"),
    };

    private static string[] Words(Tokens tokens) => Item.Read(tokens.Name(), tokens);

    private static Protocol WithFilter(BirdConfig config, Tokens tokens, Protocol protocol)
    {
        var direction = tokens.Take().Text;
        var filter = Filter(config, tokens);
        tokens.TryTake(";");
        return protocol.WithFilter(direction, filter);
    }

    private static Statement Filter(BirdConfig config, Tokens tokens)
    {
        if (tokens.TryTake("all")) return new Verdict(Flow.Accept);
        if (tokens.TryTake("none")) return new Verdict(Flow.Reject);
        tokens.Expect("filter");
        return tokens.At("{") ? new FilterParser(tokens).Body() : config.Filter(tokens.Name());
    }
}
