using Calico.Bgp.Answers;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary>
/// <c>bgpctl routes</c>: <c>*</c> marks the best route of a prefix, <c>=</c> one that is used beside it, <c>!</c> one that the kernel
/// refused, <c>-</c> an own one that waits for its way out.
/// </summary>
internal static class RoutesView
{
    private static readonly Column[] Columns =
    [
        new(" "), new("Prefix"), new("Next hop"), new("Via"), new("From"), new("AS path"), new("LP", true), new("MED", true),
        new("Communities"), new("Why"),
    ];

    public static Grid Of(IReadOnlyList<RouteAnswer> routes) => new(Columns, [.. routes.Select(Row)]);

    private static Cell[] Row(RouteAnswer route)
    {
        var tone = route.Filtered || !route.Resolvable ? Tone.Faint : Tone.Plain;
        var attributes = route.Attributes;
        return
        [
            new(Mark(route), route.KernelProblem ? Tone.Bad : Tone.Good),
            new(route.Prefix, route.Best || route.Multipath ? Tone.Strong : tone),
            new(attributes?.NextHop ?? "", tone), new(Words.Via(route.Type, route.NextHops), tone), new(From(route), tone),
            new(attributes == null ? "" : $"{attributes.AsPath} {Origin(attributes.Origin)}".TrimStart(), tone),
            new($"{attributes?.LocalPref}", tone), new($"{attributes?.Med}", tone), new(Communities(attributes), tone),
            new(Why(route), Tone.Faint),
        ];
    }

    private static string Mark(RouteAnswer route) => route switch
    {
        { KernelProblem: true } => "!",
        { Best: true } => "*",
        { Multipath: true } => "=",
        { Dormant: true } => "-",
        _ => "",
    };

    /// <summary>Who brought it; of several paths that one neighbour tells (RFC 7911) which.</summary>
    private static string From(RouteAnswer route) => route.PathId is { } path ? $"{route.Protocol} #{path}" : route.Protocol;

    private static string Origin(string origin) => origin switch { "igp" => "i", "egp" => "e", _ => "?" };

    private static string Communities(AttributesAnswer? attributes) => attributes == null
        ? ""
        : string.Join(' ', attributes.Communities.Concat(attributes.LargeCommunities).Concat(attributes.ExtendedCommunities));

    private static string Why(RouteAnswer route) => Words.Joined(
        ", ",
        route.Rule == null ? route.Reason : $"{route.Reason}: {route.Rule}",
        route.Filtered && route.Rule == null && !route.Reason.Contains("filter", StringComparison.Ordinal) ? "filtered" : null,
        !route.Resolvable && !route.Dormant && !route.Reason.Contains("next hop", StringComparison.Ordinal) ? "next hop unresolved" : null,
        Left(route),
        route.KernelProblem ? "refused by the kernel" : null);

    private static string? Left(RouteAnswer route)
    {
        var left = route.SecondsLeft is { } seconds ? $" for {TimeSpan.FromSeconds(Math.Ceiling(seconds)).Words()} yet" : "";
        return route.Stale ? $"stale{left}" : left.Length > 0 ? $"leased{left}" : null;
    }
}
