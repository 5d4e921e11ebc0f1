using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>What becomes of packets to a translation without backends.</summary>
public enum EmptyBackends : byte { Reject, Drop }

/// <summary>What becomes of a backend's connections when it goes; drained ones have some time to end by themselves.</summary>
public enum OnBackendRemoval : byte { Delete, Keep, Drain }

/// <summary>What bgpd.yaml says of services.</summary>
public sealed record ServiceSettings
{
    /// <summary>cnat's.</summary>
    public const int DefaultMaglevSize = 1009;

    public bool Enabled { get; init; }

    /// <summary>Kubernetes' Services are translated, as by a kube-proxy.</summary>
    public bool Kubernetes { get; init; }

    /// <summary>With them the host ports of this node's pods.</summary>
    public bool HostPorts { get; init; } = true;

    public static readonly TimeSpan DefaultDrainTime = TimeSpan.FromSeconds(30);

    public EmptyBackends EmptyBackends { get; init; }
    public OnBackendRemoval OnBackendRemoval { get; init; }
    public TimeSpan DrainTime { get; init; } = DefaultDrainTime;

    /// <summary>Places of a translation that is balanced by Maglev; a prime.</summary>
    public int MaglevSize { get; init; } = DefaultMaglevSize;

    public ListOf<Translation> Translations { get; init; } = [];

    /// <summary>Null: sources are translated where translations say so alone.</summary>
    public SourceNatSettings? SourceNat { get; init; }

    /// <summary>Of what this node is reached by, that which these translations take, as it is told of them once they are in
    /// force.</summary>
    /// <param name="own">The node's addresses, each with the interface that has it.</param>
    public IEnumerable<string> NodeTaken(IReadOnlyCollection<(string Interface, Address Address)> own)
    {
        if (!Enabled) yield break;
        Address? Of(TranslationPlace place) => place.Address ?? own.Where(one => one.Interface == place.Interface
            && one.Address.Family == place.Family && !one.Address.IsLinkLocal).Select(one => (Address?)one.Address).FirstOrDefault();
        foreach (var one in Translations)
            if (NodePorts.AreTakenBy(one.Key) && Of(one.Key.Place) is { } address
                && (address.IsLoopback || own.Any(mine => mine.Address == address)))
                yield return $"translation {(one.Name.Length > 0 ? $"{one.Name} " : "")}of {one.Key}: "
                    + NodePorts.WordsOf(one.Key, address);
    }
}
