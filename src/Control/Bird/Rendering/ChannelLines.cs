using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>What <c>show protocols all</c> says of a channel: a protocol's share in one family's table.</summary>
internal static class ChannelLines
{
    public static IEnumerable<string> Of(ProtocolStatus protocol, ChannelStatus channel)
    {
        yield return $"  Channel {channel.Family.Word()}";
        // As with BIRD: while the neighbour restarts the channel starts, for its routes are there.
        var kept = protocol.Kept.FirstOrDefault(kept => kept.Family == channel.Family);
        yield return $"    State:          {(channel.Up ? "UP" : kept != null ? "START" : "DOWN")}";
        yield return $"    Table:          {Tables.Name(channel.Family)}";
        yield return $"    Preference:     {Preference(protocol.Kind)}";
        yield return $"    Input filter:   {channel.Import.Name}";
        yield return $"    Output filter:  {channel.Export.Name}";
        if (channel.ReceiveLimit is { } limit)
        {
            // What is counted are the routes that came, before the filter: BIRD's receive limit, which has one action here.
            yield return $"    Receive limit:  {limit}{(channel.IsOverLimit ? " [HIT]" : "")}";
            yield return "      Action:       disable";
        }
        if (channel.Up || kept != null) foreach (var line in Counts(protocol, channel)) yield return line;
        if (!protocol.Kept.IsEmpty) yield return $"    Neighbor GR:    {(kept == null ? "None" : kept.IsLong ? "Long-lived" : "Regular")}";
        if (kept is { IsLong: true }) yield return $"    LL stale timer: {Times.Seconds(kept.Left)}/-";
        if (protocol.Session is { } session) foreach (var line in Bgp(session, channel)) yield return line;
    }

    /// <summary>BIRD's defaults, which this daemon has no setting for.</summary>
    private static int Preference(ProtocolKind kind) => kind switch
    {
        ProtocolKind.Direct => 240,
        ProtocolKind.Static => 200,
        ProtocolKind.Bgp => 100,
        ProtocolKind.Kernel => 10,
        _ => 0,
    };

    private static IEnumerable<string> Counts(ProtocolStatus protocol, ChannelStatus channel)
    {
        // Filtered routes are always kept, as with BIRD's "import keep filtered"; only peers have an import filter to fail.
        var filtered = protocol.Kind == ProtocolKind.Bgp ? $"{channel.Routes.Filtered} filtered, " : "";
        var counts = channel.Counts;
        var exported = $"{channel.Routes.Exported} exported, {channel.Routes.Preferred} preferred";
        yield return $"    Routes:         {channel.Routes.Imported} imported, {filtered}{exported}";
        yield return "    Route change stats:     received   rejected   filtered    ignored   accepted";
        yield return Row("Import updates:", counts.ImportUpdates.Received, counts.ImportUpdates.Rejected, counts.ImportUpdates.Filtered,
            counts.ImportUpdates.Ignored, counts.ImportUpdates.Accepted);
        yield return Row("Import withdraws:", counts.ImportWithdraws.Received, counts.ImportWithdraws.Rejected, null,
            counts.ImportWithdraws.Ignored, counts.ImportWithdraws.Accepted);
        yield return Row("Export updates:", counts.ExportUpdates.Received, counts.ExportUpdates.Rejected, counts.ExportUpdates.Filtered,
            null, counts.ExportUpdates.Accepted);
        yield return Row("Export withdraws:", counts.ExportWithdraws.Received, null, null, null, counts.ExportWithdraws.Accepted);
    }

    private static string Row(string label, params ReadOnlySpan<long?> counts)
    {
        var row = $"      {label,-19}";
        foreach (var count in counts) row += $" {(object?)count ?? "---",10}";
        return row;
    }

    private static IEnumerable<string> Bgp(SessionSnapshot session, ChannelStatus channel)
    {
        var settings = session.Settings;
        if (channel.Up && NextHop(session, channel) is { } nextHop) yield return $"    BGP Next hop:   {nextHop}";
        if (settings.LocalAs == settings.PeerAs || settings.Multihop > 1)
        {
            if (channel.Family == IpFamily.IPv4) yield return "    IGP IPv4 table: master4";
            if (channel.Family == IpFamily.IPv6 || settings.ExtendedNextHop) yield return "    IGP IPv6 table: master6";
        }
        if (channel.Import.IsDefault) yield return "    Import policy:  none configured: RFC 8212 rejects";
        if (channel.Export.IsDefault) yield return "    Export policy:  none configured: RFC 8212 rejects";
    }

    private static string? NextHop(SessionSnapshot session, ChannelStatus channel) =>
        channel.NextHop ?? session.Negotiated?.LocalAddress.ToString();
}
