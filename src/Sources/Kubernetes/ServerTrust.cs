using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>
/// Whether a server's certificate is believed (RFC 5280), and if not, why: another authority, another name and a clock that goes wrong are
/// mended in different places, and a TLS library says the same of all.
/// </summary>
internal static class ServerTrust
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1"); // id-kp-serverAuth, RFC 5280 section 4.2.1.12

    /// <summary>What was expected of it and what came; null: it is believed.</summary>
    /// <param name="errors">What the system's own look has found.</param>
    /// <exception cref="IOException">The authorities cannot be read.</exception>
    public static string? Doubt(
        ClusterAccess access, X509Certificate2? server, IEnumerable<X509Certificate2> sent, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (access.SkipsVerification) return null;
        if (server == null) return "expected a certificate, got none";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            && (access.ServerName == null || !server.MatchesHostname(access.ServerName)))
            return $"expected a certificate for {access.ServerName ?? access.Server.Host}, got one for {Names(server)}";
        if (access.Authorities == null && !errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)) return null;
        using var judge = new X509Chain();
        judge.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        judge.ChainPolicy.DisableCertificateDownloads = true;
        judge.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
        judge.ChainPolicy.ExtraStore.AddRange(sent.ToArray());
        if (access.Authorities != null)
        {
            judge.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            judge.ChainPolicy.CustomTrustStore.AddRange(access.ReadAuthorities());
        }
        // With the machine's authorities the system has said no already: this only finds the words.
        return judge.Build(server) && access.Authorities != null ? null : Words(access, judge, server, now);
    }

    private static string Words(ClusterAccess access, X509Chain judge, X509Certificate2 server, DateTimeOffset now)
    {
        if (judge.ChainStatus.Any(status => status.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))
        {
            var late = judge.ChainElements.Select(element => element.Certificate)
                .FirstOrDefault(one => now < one.NotBefore || now > one.NotAfter) ?? server;
            return $"its certificate ({late.Subject}) is valid from {late.NotBefore.ToUniversalTime():u} to "
                + $"{late.NotAfter.ToUniversalTime():u}, and the clock here says {now.UtcDateTime:u}";
        }
        var flags = judge.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        const X509ChainStatusFlags Stranger =
            X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid;
        if ((flags & Stranger) != 0)
            return "expected a certificate by an authority of "
                + $"{(access.Authorities == null ? "this machine" : access.Authorities.File ?? "the kubeconfig")}, "
                + $"got one by {server.Issuer}";
        return $"its certificate ({server.Subject}) is not believed: {flags}";
    }

    private static string Names(X509Certificate2 server)
    {
        var names = server.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString())));
        return string.Join(", ", names) is { Length: > 0 } said ? said : server.Subject;
    }
}
