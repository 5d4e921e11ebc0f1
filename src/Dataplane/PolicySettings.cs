using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Policies;

namespace Calico.Bgp.Dataplane;

/// <summary><c>policy</c> of bgpd.yaml: what no resource of Calico's says.</summary>
public sealed record PolicySettings
{
    public const uint DefaultMarkMask = 0xffff0000;

    public bool Enabled { get; init; }
    /// <summary>A host endpoint for each node that has none said, as Calico's controllers make them.</summary>
    public bool AutomaticHostEndpoints { get; init; }
    /// <summary>Connections that a change forbids are cut.</summary>
    public bool CutNarrowed { get; init; }
    /// <summary>What is denied is told to the log.</summary>
    public bool LogDenied { get; init; }
    /// <summary>How rules by names are enforced; null: as it is without a word.</summary>
    public DnsSettings? Dns { get; init; }
    /// <summary>Bits of the packet mark that are ours to use; the lowest two of them are, and one more where denied packets wait.</summary>
    public uint MarkMask { get; init; } = DefaultMarkMask;

    /// <summary>The bits of the mask that are used.</summary>
    public uint UsedMarks(EgressSettings? egress)
    {
        var marks = PolicyMarks.Of(MarkMask);
        return marks.Early | marks.Pass | (Dns is { Mode: DnsMode.DenyDelay } ? BitOfWaiting(egress) : 0);
    }

    /// <summary>The bit by which a denied packet is known that has waited; 0: none is left.</summary>
    public uint BitOfWaiting(EgressSettings? egress) =>
        PolicyMarks.Third(MarkMask, egress is { Enabled: true } ? egress.MarkMask : 0);
}
