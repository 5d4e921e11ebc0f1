using System.Text.Json;
using System.Text.Json.Serialization;
using Calico.Bgp.Net;
using Calico.Bgp.Sources;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Configuration;

/// <summary>
/// Felix's endpoint-status files: one for each pod of this node, of which those with a bgpPeerName want to peer. A file that is half
/// written or no JSON is left out, and comes again with the next look.
/// </summary>
public static class EndpointStatuses
{
    private const long LargestFile = 1 << 20;

    public static ListOf<LocalWorkload> Read(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(ReadFile).OfType<LocalWorkload>()];
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static LocalWorkload? ReadFile(string path)
    {
        try
        {
            var status = JsonSerializer.Deserialize(RegularFile.Read(path, LargestFile), EndpointStatusJson.Default.EndpointStatus);
            return status?.BgpPeerName is { Length: > 0 } peer
                ? new(status.IfaceName ?? "", peer, First(status.Ipv4Nets), First(status.Ipv6Nets)) : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private static Address? First(string[]? nets)
    {
        if (nets is not [var net, ..]) return null;
        return Address.TryParse(net.Split('/')[0], out var address) ? address : null;
    }
}

internal sealed record EndpointStatus(string? IfaceName, string[]? Ipv4Nets, string[]? Ipv6Nets, string? BgpPeerName);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EndpointStatus))]
internal sealed partial class EndpointStatusJson : JsonSerializerContext;
