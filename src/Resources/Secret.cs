using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>A value of a secret. It never prints itself.</summary>
public sealed record SecretValue(ListOf<byte> Octets)
{
    public string Text => Encoding.UTF8.GetString(Octets.Items);
    public override string ToString() => $"({Octets.Count} octets)";
}

/// <param name="Key">The entry's name.</param>
public sealed record SecretEntry(string Key, SecretValue Value);

/// <summary>A Kubernetes Secret: data, with stringData over it; sorted by key.</summary>
public sealed record Secret(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.Secret;

    public ListOf<SecretEntry> Data { get; init; }

    public SecretValue? this[string key]
    {
        get
        {
            foreach (var entry in Data.Items)
                if (entry.Key == key) return entry.Value;
            return null;
        }
    }
}
