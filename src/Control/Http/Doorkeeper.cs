// Who may ask by a port. A browser on the operator's machine reaches our port for any page that it shows: a page whose name was made to
// lead to our address (DNS rebinding) asks in that name, and a page of elsewhere says where it is from. So a request is answered under
// names that are ours alone, and from pages under such names. An address cannot be rebound: it is always one of them. The Unix socket
// has its mode, and no browser.

using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Calico.Bgp.Control.Http;

internal sealed class Doorkeeper(IReadOnlyCollection<string> names)
{
    private const string Loopback = "localhost";

    /// <param name="node">This node's name now.</param>
    /// <returns>Null: come in.</returns>
    public ErrorAnswer? Refuse(HttpContext http, string node)
    {
        if (Trust.IsGiven(http)) return null;
        var host = http.Request.Host;
        // HTTP/1.0 need not name one (RFC 9112 section 3.2), and no browser speaks it.
        if (host.HasValue && !IsOurs(host.Host, node))
            return new(
                AnswerCode.ForeignHost,
                $"expected an address, {Loopback}, the node's name or one of control.hosts as Host, got \"{host.Host}\"", "Host");
        foreach (var origin in http.Request.Headers[HeaderNames.Origin])
            if (!Uri.TryCreate(origin, UriKind.Absolute, out var from) || !IsOurs(from.Host, node))
                return new(AnswerCode.ForeignOrigin, $"expected a page of this daemon's own as Origin, got \"{origin}\"", "Origin");
        return null;
    }

    private bool IsOurs(string host, string node) =>
        Is(host, Loopback) || Is(host, node) || names.Any(name => Is(host, name)) || Address.TryParse(host.Trim('[', ']'), out _);

    private static bool Is(string host, string name) => host.Equals(name, StringComparison.OrdinalIgnoreCase);
}
