using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>Addresses that lead somewhere by some translation.</summary>
internal sealed class ServedAddresses
{
    /// <summary>How many translations an address leads somewhere by.</summary>
    private readonly Dictionary<Address, int> uses = [];

    /// <summary>Of which it is no longer so that some lead somewhere by them, or that none do.</summary>
    private readonly HashSet<Address> moved = [];

    private ImmutableHashSet<Address> all = [];

    /// <summary>Put together when it is asked for: what comes into force does not wait for it.</summary>
    public ImmutableHashSet<Address> All => moved.Count == 0 ? all : all = Settled();

    public void EnsureCapacity(int translations)
    {
        uses.EnsureCapacity(translations);
        moved.EnsureCapacity(translations);
    }

    /// <summary>Where one translation has led, and leads now; null: nowhere.</summary>
    public void Exchange(Address? before, Address? now)
    {
        if (before == now) return;
        if (now is { } come && CollectionsMarshal.GetValueRefOrAddDefault(uses, come, out _)++ == 0) moved.Add(come);
        if (before is not { } gone || --CollectionsMarshal.GetValueRefOrAddDefault(uses, gone, out _) > 0) return;
        uses.Remove(gone);
        moved.Add(gone);
    }

    private ImmutableHashSet<Address> Settled()
    {
        var now = all.ToBuilder();
        foreach (var address in moved)
            if (uses.ContainsKey(address)) now.Add(address);
            else now.Remove(address);
        moved.Clear();
        return now.ToImmutable();
    }
}
