using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>Addresses that lead somewhere by some translation.</summary>
internal sealed class ServedAddresses
{
    /// <summary>How many translations an address leads somewhere by.</summary>
    private readonly Dictionary<Address, int> uses = [];

    /// <summary>Of which <see cref="all"/> says otherwise than is so by now.</summary>
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
        if (now is { } come && CollectionsMarshal.GetValueRefOrAddDefault(uses, come, out _)++ == 0) Move(come, isServed: true);
        if (before is not { } gone || --CollectionsMarshal.GetValueRefOrAddDefault(uses, gone, out _) > 0) return;
        uses.Remove(gone);
        Move(gone, isServed: false);
    }

    /// <summary>Nobody may ever ask: what comes and goes meanwhile leaves nothing behind.</summary>
    private void Move(Address address, bool isServed)
    {
        if (all.Contains(address) == isServed) moved.Remove(address);
        else moved.Add(address);
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
