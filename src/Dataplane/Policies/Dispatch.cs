using System.Collections.Immutable;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>From an interface to its program: a map for each place that programs stand at. One element is what an endpoint costs
/// there.</summary>
internal sealed class Dispatch
{
    private readonly Dictionary<(ProgramKind Place, string Interface), string> chains = [];
    private readonly Dictionary<ProgramKind, int> counts = [];
    private readonly Dictionary<(ProgramKind Place, string Interface), string> written = [];
    private readonly HashSet<(ProgramKind Place, string Interface)> dirty = [];
    private readonly HashSet<ProgramKind> maps = [];

    public const string Prefix = Enforcement.Prefix + "by-";

    public static string Map(ProgramKind place) => Prefix + Programs.Word(place);

    /// <summary>Of interfaces by name.</summary>
    public bool Has(ProgramKind place) => counts.GetValueOrDefault(place) > 0;

    public bool Has(ProgramKind place, string interfaceName) => chains.ContainsKey((place, interfaceName));

    /// <summary>The program of all interfaces that no host endpoint names.</summary>
    public string? OfOthers(ProgramKind place) => chains.GetValueOrDefault((place, LocalEndpoint.EveryInterface));

    /// <param name="chain">Null: the interface has no program there.</param>
    /// <returns>True: which maps are in use, or the program of the others, has changed.</returns>
    public bool Put(ProgramKind place, string interfaceName, string? chain)
    {
        var key = (place, interfaceName);
        var before = chains.GetValueOrDefault(key);
        if (before == chain) return false;
        if (chain == null) chains.Remove(key);
        else chains[key] = chain;
        if (interfaceName == LocalEndpoint.EveryInterface) return true;
        dirty.Add(key);
        var had = Has(place);
        counts[place] = counts.GetValueOrDefault(place) + (chain == null ? -1 : before == null ? 1 : 0);
        return had != Has(place);
    }

    public void Write(PartsWriter into)
    {
        if (into.IsFresh)
        {
            maps.Clear();
            written.Clear();
            dirty.Clear();
            dirty.UnionWith(chains.Keys.Where(key => key.Interface != LocalEndpoint.EveryInterface));
        }
        foreach (var place in dirty.Select(key => key.Place).Distinct().ToArray()) Write(place, into);
        dirty.Clear();
    }

    private void Write(ProgramKind place, PartsWriter into)
    {
        var keys = dirty.Where(key => key.Place == place).ToArray();
        var name = Map(place);
        if (!Has(place))
        {
            foreach (var key in keys) written.Remove(key);
            if (maps.Remove(place)) into.RemoveSet(name);
            return;
        }
        if (maps.Add(place)) into.Put(new NftSet(name, [NftType.InterfaceName], false, [], [NftType.Verdict]));
        into.RemoveElements(name, [.. keys.Where(key => !chains.ContainsKey(key) && written.Remove(key)).Select(key =>
            Element(key.Interface, null))]);
        into.PutElements(name, [.. keys.Where(chains.ContainsKey).Select(key => Element(key.Interface, written[key] = chains[key]))]);
    }

    private static NftElement Element(string interfaceName, string? chain) =>
        NftElement.Of(NftOctets.OfInterface(interfaceName), chain == null ? null : new NftVerdict(NftVerdictCode.Goto, chain));
}
