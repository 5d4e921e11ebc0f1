// The query string of /v1/routes. A key that is not known is an error: a typo must not widen the answer.

using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class RouteQueryText
{
    private const string Keys = "prefix, scope, family, protocol, peer, selection, format";

    /// <param name="error">What was expected and what came, at which key.</param>
    public static bool TryRead(
        IQueryCollection text, [NotNullWhen(true)] out RouteQuery? query, [NotNullWhen(false)] out ErrorAnswer? error)
    {
        var read = new RouteQuery(RouteSelection.All);
        error = null;
        foreach (var (key, values) in text)
            if (Read(ref read, key, values.ToString()) is { } problem) error ??= new(AnswerCode.BadQuery, problem, key);
        if (error == null && read.Peer == null && IsOfPeer(read.Selection))
            error = new(AnswerCode.BadQuery, "expected peer=NAME beside this selection, got none", "peer");
        query = error == null ? read : null;
        return error == null;
    }

    private static bool IsOfPeer(RouteSelection selection) =>
        selection is RouteSelection.Received or RouteSelection.Export or RouteSelection.PreExport or RouteSelection.NoExport;

    private static string? Read(ref RouteQuery query, string key, string value) => key switch
    {
        "prefix" => ReadPrefix(ref query, value),
        "scope" => ReadScope(ref query, value),
        "family" => ReadFamily(ref query, value),
        "selection" => ReadSelection(ref query, value),
        "protocol" => Fine(query = query with { Protocol = value }),
        "peer" => Fine(query = query with { Peer = value }),
        "format" => value is "json" or "ndjson" ? null : $"expected format json or ndjson, got \"{value}\"",
        _ => $"expected one of {Keys}, got \"{key}\"",
    };

    // An address stands for the longest match, as operators mean it; a prefix for itself.
    private static string? ReadPrefix(ref RouteQuery query, string value)
    {
        if (Prefix.TryParse(value, out var prefix))
            return PrefixText.HostBits(value, prefix) ?? Fine(query = query with { Prefix = prefix });
        if (!Address.TryParse(value, out var address)) return $"expected a prefix such as 192.0.2.0/24 or an address, got \"{value}\"";
        var scope = query.Scope == PrefixScope.Exact ? PrefixScope.For : query.Scope;
        return Fine(query = query with { Prefix = new(address, address.Family.Bits()), Scope = scope });
    }

    private static string? ReadScope(ref RouteQuery query, string value)
    {
        PrefixScope? scope = value switch { "exact" => PrefixScope.Exact, "for" => PrefixScope.For, "in" => PrefixScope.In, _ => null };
        return scope == null ? $"expected scope exact, for or in, got \"{value}\"" : Fine(query = query with { Scope = scope.Value });
    }

    private static string? ReadFamily(ref RouteQuery query, string value)
    {
        IpFamily? family = value switch { "ipv4" => IpFamily.IPv4, "ipv6" => IpFamily.IPv6, _ => null };
        return family == null ? $"expected family ipv4 or ipv6, got \"{value}\"" : Fine(query = query with { Family = family });
    }

    private static string? ReadSelection(ref RouteQuery query, string value)
    {
        RouteSelection? selection = value switch
        {
            "all" => RouteSelection.All,
            "best" or "primary" => RouteSelection.Primary,
            "filtered" => RouteSelection.Filtered,
            "received" => RouteSelection.Received,
            "advertised" or "export" => RouteSelection.Export,
            "preExport" => RouteSelection.PreExport,
            "noExport" => RouteSelection.NoExport,
            _ => null,
        };
        return selection == null
            ? $"expected selection all, best, filtered, received, advertised, preExport or noExport, got \"{value}\""
            : Fine(query = query with { Selection = selection.Value });
    }

    private static string? Fine(RouteQuery _) => null;
}
