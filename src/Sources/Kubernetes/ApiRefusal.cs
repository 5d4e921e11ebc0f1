using System.Net;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>The server has answered, and not with what was asked for.</summary>
/// <param name="status">Of HTTP, or of the Status object that a watch ended with.</param>
internal sealed class ApiRefusal(HttpStatusCode status, string message, TimeSpan? retryAfter = null)
    : Exception($"{(int)status} {message}")
{
    public HttpStatusCode Status => status;
    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>The server has not answered, or has stopped in the middle.</summary>
internal sealed class ApiLost(string reason, Exception? cause = null) : Exception(reason, cause);
