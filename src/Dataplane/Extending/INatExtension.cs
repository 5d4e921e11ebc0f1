using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Extending;

/// <summary>Where in a packet's way a contribution's rules stand: of the daemon's own they are the first there.</summary>
public enum NatSlot : byte
{
    /// <summary>What comes in, before its destination is translated.</summary>
    PreDnat,
    /// <summary>Where destinations are translated, of what comes in: the first translation that is found holds.</summary>
    Dnat,
    /// <summary>What comes in, with the destination that it has got.</summary>
    PostDnat,
    /// <summary>What is routed through.</summary>
    Forward,
    /// <summary>What leaves, before its source is translated.</summary>
    PreSnat,
    /// <summary>Where sources are translated: the first translation that is found holds.</summary>
    Snat,
}

/// <summary>
/// Rules in one slot, and what they ask. All names begin with <see cref="NatContribution.PrefixOf"/>; sets and counters of the same name
/// are to be the same.
/// </summary>
public sealed record NatContribution(NatSlot Slot, ImmutableArray<NftRule> Rules)
{
    public ImmutableArray<NftSet> Sets { get; init; } = [];

    /// <summary>They count on while rules come and go.</summary>
    public ImmutableArray<string> Counters { get; init; } = [];

    /// <summary>What the names of an extension's parts begin with.</summary>
    public static string PrefixOf(string extension) => $"{NatExtensions.FeatureName}-{extension}-";
}

/// <summary>What an extension may look at.</summary>
/// <param name="Machine">Links and addresses, as the kernel has them.</param>
public sealed record NatModel(KernelSnapshot Machine);

/// <summary>
/// Something that is done to packets beside the daemon's own NAT (VPP's cnat_feature_hook, reference/cnat.md section 5). The kernel does
/// the packets: an extension says rules and data, and these come into force in the transaction of all else. It is built into the daemon
/// (<c>Bgpd/Extensions</c>), and may not wait or ask anybody.
/// </summary>
public interface INatExtension
{
    /// <summary>Of small letters and digits.</summary>
    string Name { get; }

    /// <summary>
    /// All that it contributes now: asked again where what it may look at is otherwise. The same model gives the same contributions. One
    /// that throws, or names a part with another prefix, is left out, and named with the reason; of a rule that the kernel refuses all
    /// rules of its slot are left out.
    /// </summary>
    IEnumerable<NatContribution> Build(NatModel model);
}
