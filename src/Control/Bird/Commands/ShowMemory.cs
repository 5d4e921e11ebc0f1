using System.Globalization;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>show memory</c>. What the runtime holds beyond the parts that count themselves is standby memory.</summary>
internal sealed class ShowMemory : Command
{
    /// <summary>BIRD keeps four digits before the point and goes on to the next unit with the fifth.</summary>
    private const double Largest = 10000;

    private static readonly string[] Units = [" B", "kB", "MB", "GB", "TB"];

    public static Command Parse(Tokens tokens)
    {
        tokens.ExpectEnd();
        return new ShowMemory();
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var memory = with.Speaker.Memory;
        var counted = memory.RoutingTables + memory.RouteAttributes + memory.Protocols + memory.Configuration;
        var standby = Math.Max(0, memory.Total - counted);
        with.Reply.Line(ReplyCode.Memory, "BIRD memory usage");
        with.Reply.Line(ReplyCode.Memory, $"{"",-17} {"Effective",9}    {"Overhead",8}");
        Row("Routing tables:", memory.RoutingTables, 0);
        Row("Route attributes:", memory.RouteAttributes, 0);
        Row("Protocols:", memory.Protocols, 0);
        Row("Current config:", memory.Configuration, 0);
        Row("Standby memory:", 0, standby);
        Row("Total:", counted, standby);
        with.Reply.End(ReplyCode.Ok);
        return default;

        void Row(string label, long effective, long overhead) =>
            with.Reply.Line(ReplyCode.Memory, $"{label,-17} {Size(effective)}   {Size(overhead)}");
    }

    private static string Size(long octets)
    {
        double size = octets;
        var unit = 0;
        for (; size >= Largest && unit < Units.Length - 1; unit++) size /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{size,6:0.0} {Units[unit]}");
    }
}
