// control.http's entries: `unix:/run/bgpd/bgpd.sock` or `127.0.0.1:9179`. The Unix socket is where orders are taken: whoever may
// open the file may give them. A port is only for looking (metrics, health, status).

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Control.Http;

/// <summary>Where <see cref="HttpControl"/> listens.</summary>
public sealed record HttpEndpoint
{
    private const string UnixScheme = "unix:";
    private const string Expected = "expected unix:/path (at most 107 characters) or address:port such as 127.0.0.1:9179";

    private HttpEndpoint(EndPoint endPoint) => EndPoint = endPoint;

    internal EndPoint EndPoint { get; }

    /// <summary>Orders (reload, enable, …) are taken here.</summary>
    public bool IsUnix => EndPoint is UnixDomainSocketEndPoint;

    public override string ToString() => Describe(EndPoint);

    /// <param name="problem">What was expected and what came.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out HttpEndpoint? endpoint, [NotNullWhen(false)] out string? problem)
    {
        EndPoint? found = text.StartsWith(UnixScheme, StringComparison.Ordinal) ? Unix(text[UnixScheme.Length..]) : Port(text);
        endpoint = found == null ? null : new(found);
        problem = found == null ? $"{Expected}, got \"{text}\"" : null;
        return found != null;
    }

    internal static string Describe(EndPoint endPoint) =>
        endPoint is UnixDomainSocketEndPoint ? UnixScheme + endPoint : endPoint.ToString() ?? "";

    // sun_path has 108 octets with the closing zero.
    private static UnixDomainSocketEndPoint? Unix(string path) =>
        path.StartsWith('/') && System.Text.Encoding.UTF8.GetByteCount(path) <= 107 ? new(path) : null;

    private static IPEndPoint? Port(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 1) return null;
        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return null;
        return Host(text[..colon]) is { } address ? new(address, port) : null;
    }

    private static IPAddress? Host(string host) => host switch
    {
        "localhost" => IPAddress.Loopback,
        "*" => IPAddress.IPv6Any,
        ['[', .. var inside, ']'] when Net.Address.TryParse(inside, out var address) && !address.IsIPv4 => address.ToIPAddress(),
        _ when Net.Address.TryParse(host, out var address) && address.IsIPv4 => address.ToIPAddress(),
        _ => null,
    };
}
