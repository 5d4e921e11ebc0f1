using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public sealed class ServerTrustTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly string folder = Directory.CreateTempSubdirectory("trust").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private X509Certificate2 Authority(string name)
    {
        var request = new CertificateRequest($"CN={name}", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var made = request.CreateSelfSigned(Now.AddYears(-9), Now.AddYears(9));
        File.WriteAllText(PathOf(name), made.ExportCertificatePem());
        return made;
    }

    private string PathOf(string authority) => Path.Combine(folder, $"{authority}.crt");

    private static X509Certificate2 Server(X509Certificate2 by, int fromDays, int toDays)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("kubernetes");
        names.AddIpAddress(IPAddress.Parse("10.0.0.1"));
        request.CertificateExtensions.Add(names.Build());
        return request.Create(by, Now.AddDays(fromDays), Now.AddDays(toDays), [1]);
    }

    private static string? Doubt(ClusterAccess access, X509Certificate2? server, SslPolicyErrors errors = SslPolicyErrors.None) =>
        ServerTrust.Doubt(access, server, [], errors, Now);

    private ClusterAccess Believing(string authority) =>
        new(new Uri("https://10.0.0.1:6443")) { Authorities = new(PathOf(authority), null) };

    [Fact]
    public void Whose_authority_and_name_are_right_is_believed()
    {
        using var authority = Authority("ours");
        Assert.Null(Doubt(Believing("ours"), Server(authority, -1, 1)));
    }

    [Theory]
    [InlineData(-20, -10)]
    [InlineData(10, 20)]
    public void Who_is_expired_or_not_valid_yet_is_told_with_its_dates_and_our_clock(int from, int to)
    {
        using var authority = Authority("ours");
        Assert.Equal(
            $"its certificate (CN=server) is valid from {Now.AddDays(from).UtcDateTime:u} to {Now.AddDays(to).UtcDateTime:u}, "
            + $"and the clock here says {Now.UtcDateTime:u}", Doubt(Believing("ours"), Server(authority, from, to)));
    }

    [Fact]
    public void Whose_authority_is_another_is_told_with_both()
    {
        using var ours = Authority("ours");
        using var theirs = Authority("theirs");
        Assert.Equal($"expected a certificate by an authority of {PathOf("ours")}, got one by CN=theirs",
            Doubt(Believing("ours"), Server(theirs, -1, 1)));
        Assert.Equal("expected a certificate by an authority of this machine, got one by CN=theirs",
            Doubt(new(new Uri("https://10.0.0.1")), Server(theirs, -1, 1), SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Fact]
    public void Whose_name_is_another_is_told_with_those_that_it_has()
    {
        using var authority = Authority("ours");
        Assert.Equal("expected a certificate for 10.0.0.1, got one for kubernetes, 10.0.0.1",
            Doubt(Believing("ours"), Server(authority, -1, 1), SslPolicyErrors.RemoteCertificateNameMismatch));
        Assert.Null(Doubt(
            Believing("ours") with { ServerName = "kubernetes" }, Server(authority, -1, 1), SslPolicyErrors.RemoteCertificateNameMismatch));
        Assert.Equal("expected a certificate, got none", Doubt(Believing("ours"), null));
    }
}
