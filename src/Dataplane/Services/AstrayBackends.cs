using System.Runtime.InteropServices;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// Backends at addresses that are nobody's beside translations. A packet is translated once: sent to such an address it leads no further,
/// and the client waits for ever. Of a translation whose address some machine may have (<c>real</c>) that is where packets are to go.
/// </summary>
internal sealed class AstrayBackends
{
    /// <summary>How many translations are at an address.</summary>
    private readonly Dictionary<Address, int> fronts = [];

    /// <summary>Where translations have come or gone since this was last asked.</summary>
    private readonly HashSet<Address> stirred = [];

    /// <summary>Those that have such backends: they lead somewhere where the address becomes this machine's.</summary>
    public HashSet<TranslationKey> Suspects { get; } = [];

    public void EnsureCapacity(int translations)
    {
        fronts.EnsureCapacity(translations);
        stirred.EnsureCapacity(translations);
    }

    public void Exchange(Wishes before, Wishes now)
    {
        if (before.Nobodys == now.Nobodys && before.Fronts.AsSpan().SequenceEqual(now.Fronts.AsSpan())) return;
        if (now.Nobodys is { } come)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(fronts, come, out _)++;
            stirred.Add(come);
        }
        if (before.Nobodys is not { } gone) return;
        if (--CollectionsMarshal.GetValueRefOrAddDefault(fronts, gone, out _) == 0) fronts.Remove(gone);
        stirred.Add(gone);
    }

    /// <summary>Translations that have a backend where others have come or gone. Nearly always there are none, so that those who have are
    /// looked for only where a backend is known to be there.</summary>
    public IEnumerable<TranslationKey> Stirred(SharedMaps maps, IEnumerable<KeyValuePair<TranslationKey, Wishes>> rendered)
    {
        if (stirred.Count == 0) return [];
        var asked = stirred.Where(address => maps.Has(ServiceParts.Hairpins(address.Family), ServiceParts.Hairpin(address))).ToHashSet();
        stirred.Clear();
        return asked.Count == 0 ? [] : [.. rendered.Where(one => one.Value.Flows.Any(flows => asked.Contains(flows.Server)))
            .Select(one => one.Key)];
    }

    /// <summary>What of it leads nowhere, in words; nothing where all leads somewhere.</summary>
    /// <param name="holder">By which translation an address, a protocol and a port are taken.</param>
    /// <param name="isVirtual">What no translation takes of an address's packets is dropped.</param>
    public ListOf<string> Look(
        TranslationKey key, Wishes now, Places places, Func<BackendFlows, TranslationKey?> holder, Func<Address, bool> isVirtual)
    {
        if (!Any(now))
        {
            Suspects.Remove(key);
            return [];
        }
        Suspects.Add(key);
        return [.. from flows in now.Flows
                   where fronts.ContainsKey(flows.Server) && !places.IsHere(flows.Server)
                   let other = holder(flows)
                   where other != null || isVirtual(flows.Server)
                   select $"what is sent to {new BackendEnd(TranslationPlace.Of(flows.Server), flows.ServerPort)} arrives nowhere: "
                       + (other == null ? "that is a virtual address" : $"{other} is itself translated")
                       + ", and a packet is translated once"];
    }

    /// <summary>Asked of each translation that is rendered.</summary>
    private bool Any(Wishes now)
    {
        foreach (var flows in now.Flows)
            if (fronts.ContainsKey(flows.Server)) return true;
        return false;
    }
}
