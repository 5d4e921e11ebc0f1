using System.Globalization;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl policy denied</c>: a line a flow, the newest last.</summary>
internal static class DeniedView
{
    private static readonly Column[] Columns =
    [
        new("Last"), new("Protocol"), new("Source"), new("Destination"), new("Packets", true), new("Asked at"), new("Endpoint"),
        new("Denied by"),
    ];

    public static Page Of(DeniedAnswer answer) => new(new Section(
        null, answer.Flows.Count == 0 ? null : Rows(answer.Flows),
        [
            .. WhyNone(answer) is { } why ? [new Cell(why, Tone.Bad)] : answer.Flows.Count == 0 ? [new Cell("nothing was denied")]
                : Array.Empty<Cell>(),
            .. answer.Lost > 0 ? [new Cell($"{Words.Count(answer.Lost, "packet")} more came than could be told")] : Array.Empty<Cell>(),
        ]));

    /// <summary>Null: what is denied is told.</summary>
    public static string? WhyNone(DeniedAnswer answer) =>
        !answer.Logged ? "bgpd does not log what policies deny: policy.logDenied in bgpd.yaml is false"
        : answer.Problem is { } problem ? $"bgpd does not hear what policies deny: {problem}" : null;

    public static Grid Rows(IReadOnlyList<DeniedFlowAnswer> flows) => new(Columns, [.. flows.Select(Row)]);

    private static Cell[] Row(DeniedFlowAnswer flow) =>
    [
        flow.Last.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture), Protocol(flow),
        End(flow.Source, flow.SourcePort),
        (flow.AskedFor is { } asked ? $"{End(asked, flow.AskedPort)} -> " : "") + End(flow.Destination, flow.Port),
        Words.Number(flow.Packets), flow.Program ?? "",
        new(flow.Endpoint ?? Way(flow), Tone.Strong), flow.Reason,
    ];

    private static string Protocol(DeniedFlowAnswer flow) =>
        flow.IcmpType is { } type ? $"{flow.Protocol} {Words.Number(type)}" : flow.Protocol;

    private static string End(string address, int? port) => port is not { } number ? address
        : address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{Words.Number(number)}" : $"{address}:{Words.Number(number)}";

    /// <summary>The interface whose program it was; those that ask on the way out are of the one that it was to leave by.</summary>
    private static string Way(DeniedFlowAnswer flow)
    {
        var leaves = flow.Program is "pod ingress" or "forward-out" or "normal-out" or "untracked out";
        return (leaves ? flow.Out ?? flow.In : flow.In ?? flow.Out) ?? "";
    }
}
