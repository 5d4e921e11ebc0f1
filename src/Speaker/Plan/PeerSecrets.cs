using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>The keys that sessions are signed with (RFC 2385), out of Kubernetes' Secrets.</summary>
internal sealed class PeerSecrets(NodeView view)
{
    /// <summary>TCP_MD5SIG_MAXKEYLEN (linux/tcp.h).</summary>
    private const int LongestKey = 80;

    /// <param name="problem">Null where there is a key.</param>
    /// <param name="doubt">The key is used as it is, and rarely meant so.</param>
    public string? Find(SecretKeyRef wanted, out string? problem, out string? doubt)
    {
        var name = new ResourceKey(view.Settings.SecretNamespace, wanted.Name);
        var value = view.Resources.Of(Kinds.Secret)[name]?[wanted.Key];
        problem = value switch
        {
            null when view.Resources.Of(Kinds.Secret)[name] == null => $"the password's Secret {name} is not there: the session stays down",
            null => $"the Secret {name} has no key {wanted.Key}: the session stays down",
            _ when value.Octets.Count is 0 or > LongestKey =>
                $"expected 1 to {LongestKey} octets in {wanted.Key} of the Secret {name}, got {value.Octets.Count}: the session stays down",
            _ => null,
        };
        doubt = value is { Octets.Items: [.., (byte)'\n'] }
            ? $"{wanted.Key} of the Secret {name} ends in a line end, which is a part of the password then (echo -n writes none)" : null;
        return problem == null ? value?.Text : null;
    }
}
