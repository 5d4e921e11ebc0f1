using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Calico.Bgp.Conformance.Etcd;

/// <summary>An authority of the test's own, a server's certificate and a client's, in files.</summary>
internal sealed class Certificates : IDisposable
{
    private static readonly Oid ServerUse = new("1.3.6.1.5.5.7.3.1"), ClientUse = new("1.3.6.1.5.5.7.3.2");

    private readonly Scratch folder = new("certificates");

    /// <param name="server">The server's address.</param>
    public Certificates(string server)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Authority, authority.ExportCertificatePem());
        Issue(authority, "server", ServerUse, IPAddress.Loopback, IPAddress.Parse(server));
        Issue(authority, "client", ClientUse);
    }

    public string Authority => folder.PathOf("ca.pem");
    private string Server => folder.PathOf("server.pem");
    private string ServerKey => folder.PathOf("server.key");
    public string Client => folder.PathOf("client.pem");
    public string ClientKey => folder.PathOf("client.key");

    /// <summary>For etcd, which takes no client without one.</summary>
    public string[] Etcd => ["--cert-file", Server, "--key-file", ServerKey, "--client-cert-auth", "--trusted-ca-file", Authority];

    /// <summary>For etcdctl.</summary>
    public string[] Etcdctl => ["--cacert", Authority, "--cert", Client, "--key", ClientKey];

    private void Issue(X509Certificate2 authority, string name, Oid use, params IPAddress[] addresses)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([use], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var address in addresses) names.AddIpAddress(address);
        if (addresses.Length > 0) request.CertificateExtensions.Add(names.Build());
        using var made = request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(folder.PathOf($"{name}.pem"), made.ExportCertificatePem());
        File.WriteAllText(folder.PathOf($"{name}.key"), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => folder.Dispose();
}
