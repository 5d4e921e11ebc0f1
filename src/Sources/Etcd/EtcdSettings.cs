using Calico.Bgp.Net;

namespace Calico.Bgp.Sources.Etcd;

/// <summary>Where etcd is, and who we are for it.</summary>
/// <param name="Endpoints"><c>https://10.0.0.1:2379</c>; of which one is talked to at a time.</param>
public sealed record EtcdSettings(ListOf<string> Endpoints)
{
    /// <summary>Whose certificates are believed; null: those that the system believes.</summary>
    public Secreted? Authority { get; init; }
    /// <summary>Ours, PEM; null, as the key: none.</summary>
    public Secreted? Certificate { get; init; }
    public Secreted? Key { get; init; }
    /// <summary>Null, as the password: nobody in particular.</summary>
    public Secreted? Username { get; init; }
    public Secreted? Password { get; init; }
}
