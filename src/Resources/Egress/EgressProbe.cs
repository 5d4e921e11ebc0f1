using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Egress;

public enum EgressProbeKind : byte { Icmp, Http }

/// <summary>
/// By what a gateway knows that it leads anywhere (egressGatewayFailureDetection): one of the targets, at least, has answered within
/// <paramref name="Timeout"/>.
/// </summary>
/// <param name="Targets">Addresses, or URLs.</param>
public sealed record EgressProbe(EgressProbeKind Kind, ListOf<string> Targets, TimeSpan Interval, TimeSpan Timeout)
{
    /// <summary>The operator's defaults.</summary>
    public static readonly TimeSpan IcmpInterval = TimeSpan.FromSeconds(5), IcmpTimeout = TimeSpan.FromSeconds(15),
        HttpInterval = TimeSpan.FromSeconds(10), HttpTimeout = TimeSpan.FromSeconds(30);

    /// <returns>Null: it is a target of that kind.</returns>
    public static string? Problem(EgressProbeKind kind, string target) => kind == EgressProbeKind.Icmp
        ? Address.TryParse(target, out _) ? null : $"expected an address, got \"{target}\""
        : Uri.TryCreate(target, UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", Host.Length: > 0 } ? null
        : $"expected a URL of http or https, got \"{target}\"";
}
