using System.Net;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Configuration;

/// <summary><c>control</c>: where birdc, bgpctl, Prometheus and people look in.</summary>
internal sealed class ControlReader(Section root, Folder folder)
{
    private const int LongestProducer = 32;

    private const string HttpExpected = "unix:PATH or ADDRESS:PORT";

    public ControlConfig Read()
    {
        if (root.Child("control") is not { } control) return ControlConfig.Default;
        var config = new ControlConfig(
            control.Has("socket") ? folder.Socket(control.Text("socket"), control.At("socket"), "control.socket", control.Problems) : null,
            [.. control.List("http").Select(node => Http(node, control)).OfType<HttpEndpoint>()],
            [.. control.Sections("birdSockets").Select(BirdSocket).OfType<BirdSocketConfig>()])
        {
            Producers = [.. Producers(control)],
            Hosts = [.. control.List("hosts").Select(node => Host(node, control)).OfType<string>()],
        };
        if (config.BirdSockets.Any(socket => socket.Dialect == BirdDialect.Calico || socket.Family != null))
        {
            const string later =
                "dialect calico and family are not acted on yet: a calico socket is not opened, others answer for both families";
            control.Problems.Warn(control.At("birdSockets"), later);
        }
        Distinct(control, config);
        control.Close();
        return config;
    }

    /// <summary><c>{ NAME: { limit, prefixes } }</c>.</summary>
    private static IEnumerable<ProducerQuota> Producers(Section control)
    {
        if (control.Child("producers") is not { } producers) yield break;
        foreach (var entry in producers.Node.Entries)
        {
            var name = entry.Key.Text;
            if (name.Length > LongestProducer || !Names.IsWord(name) || name.Contains(':'))
                control.Problems.Error(
                    entry.Key, $"expected a name of at most {LongestProducer} letters, digits and _ - . for a producer, got \"{name}\"");
            producers.Has(name);
            if (producers.Child(name) is not { } quota)
            {
                yield return new(name, ProducerQuota.DefaultLimit, []);
                continue;
            }
            var limit = (int)(quota.Number("limit", 1, 1_000_000) ?? ProducerQuota.DefaultLimit);
            yield return new(name, limit, [.. quota.Values("prefixes", Scalars.Prefix)]);
            quota.Close();
        }
    }

    private HttpEndpoint? Http(DocumentNode node, Section control)
    {
        if (node is ScalarNode { IsNull: false } scalar)
        {
            if (scalar.Text.StartsWith("unix:", StringComparison.Ordinal))
                return folder.Socket(scalar.Text[5..], node, "control.http", control.Problems) is { } path ? new(path, null) : null;
            if (Endpoint(scalar.Text) is { } endpoint) return new(null, endpoint);
        }
        control.Problems.Error(node, $"expected {HttpExpected} for control.http, got {node.Kind}");
        return null;
    }

    private static string? Host(DocumentNode node, Section control)
    {
        if (node is ScalarNode { IsNull: false } word && Uri.CheckHostName(word.Text) == UriHostNameType.Dns) return word.Text;
        control.Problems.Error(node, $"expected a host's name without a port for control.hosts, got {node.Kind}");
        return null;
    }

    /// <summary><c>127.0.0.1:9179</c> or <c>[::1]:9179</c>.</summary>
    internal static IPEndPoint? Endpoint(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out var port) || port == 0)
            return null;
        var host = text.AsSpan(0, colon);
        var bracketed = host is ['[', .., ']'];
        return Address.TryParse(bracketed ? host[1..^1] : host, out var address)
            && bracketed == !address.IsIPv4
            ? new(address.ToIPAddress(), port) : null;
    }

    private BirdSocketConfig? BirdSocket(Section socket)
    {
        var path = folder.Socket(socket.Text("path"), socket.At("path"), "path", socket.Problems);
        if (!socket.Has("path")) socket.Problems.Error(socket.Node, "expected the key path, got a socket without it");
        var dialect = socket.Word("dialect", ("bird2", BirdDialect.Bird2), ("calico", BirdDialect.Calico)) ?? BirdDialect.Bird2;
        var family = socket.Value("family", Scalars.Family);
        socket.Close();
        return path == null ? null : new(path, dialect, family);
    }

    private static void Distinct(Section control, ControlConfig config)
    {
        var all = config.Http.Select(http => http.ToString())
            .Concat(config.BirdSockets.Select(socket => $"unix:{socket.Path}")).Append($"unix:{config.Socket}");
        foreach (var twice in all.GroupBy(name => name).Where(group => group.Count() > 1))
            control.Problems.Error(control.Node, $"expected each socket once under control, got {twice.Key} {twice.Count()} times");
    }
}
