using System.Collections.Immutable;
using System.Globalization;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// From an interface to its program: at each place that programs stand at a map from interfaces to programs' numbers, and one from numbers
/// to programs. One element is what an endpoint costs there whose program others follow already: it leads to no chain by itself, so the
/// kernel need not look at all chains again.
/// </summary>
/// <remarks>
/// A packet asks one map after the other, and a change may come between: a number that has led to a program does so until all that
/// follow another one now are in force (<see cref="Sweep"/>).
/// </remarks>
internal sealed class Dispatch
{
    private readonly record struct Led(ProgramKind Place, string Chain);

    private sealed record Leading(uint Number)
    {
        public int Interfaces { get; set; }
    }

    private readonly Dictionary<(ProgramKind Place, string Interface), string> chains = [];
    private readonly Dictionary<Led, Leading> leading = [];
    private readonly Dictionary<ProgramKind, int> counts = [];
    private readonly HashSet<(ProgramKind Place, string Interface)> written = [], dirty = [];
    private readonly HashSet<Led> coming = [], idle = [];
    private readonly HashSet<(ProgramKind Place, uint Number)> numbers = [], going = [];
    private readonly HashSet<ProgramKind> maps = [];

    /// <summary>Of the maps whose keys are interfaces.</summary>
    public const string Prefix = Enforcement.Prefix + "by-";

    /// <summary>Of those whose keys are numbers.</summary>
    public const string NumbersPrefix = Enforcement.Prefix + "program-";

    public static string Map(ProgramKind place) => Prefix + Programs.Word(place);

    private static string NumbersMap(ProgramKind place) => NumbersPrefix + Programs.Word(place);

    /// <summary>Of interfaces by name.</summary>
    public bool Has(ProgramKind place) => counts.GetValueOrDefault(place) > 0;

    public bool Has(ProgramKind place, string interfaceName) => chains.ContainsKey((place, interfaceName));

    /// <summary>The program of all interfaces that no host endpoint names.</summary>
    public string? OfOthers(ProgramKind place) => chains.GetValueOrDefault((place, LocalEndpoint.EveryInterface));

    public static NftRule Decide(ProgramKind place, bool leaving) =>
        new([new ActDecideByInterface(leaving, NumbersMap(place), Map(place))], $"by the number that {Map(place)} has of it");

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
        if (chain != null) Use(new(place, chain));
        if (before != null) Release(new(place, before));
        return had != Has(place);
    }

    private void Use(Led led)
    {
        if (!leading.TryGetValue(led, out var known))
        {
            leading[led] = known = new(NumberFor(led));
            numbers.Add((led.Place, known.Number));
            coming.Add(led);
        }
        if (known.Interfaces++ == 0) idle.Remove(led);
    }

    private void Release(Led led)
    {
        if (--leading[led].Interfaces == 0) idle.Add(led);
    }

    /// <summary>The end of its name, which is a hash, so that it is the same after a restart; should another have it, the next.</summary>
    private uint NumberFor(Led led)
    {
        const int digits = 2 * sizeof(uint);
        var number = uint.Parse(led.Chain[^digits..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        while (numbers.Contains((led.Place, number))) number++;
        return number;
    }

    /// <summary>What no interface followed any more when it was written last goes with what is written next.</summary>
    /// <param name="stays">Chains that do, as somebody may follow them again.</param>
    public void Sweep(Predicate<string>? stays = null)
    {
        foreach (var led in idle.Where(led => stays?.Invoke(led.Chain) != true).ToArray())
        {
            idle.Remove(led);
            leading.Remove(led, out var gone);
            numbers.Remove((led.Place, gone!.Number));
            if (!coming.Remove(led)) going.Add((led.Place, gone.Number));
        }
    }

    public void Write(PartsWriter into)
    {
        if (into.IsFresh)
        {
            Sweep();
            maps.Clear();
            written.Clear();
            going.Clear();
            coming.UnionWith(leading.Keys);
            dirty.Clear();
            dirty.UnionWith(chains.Keys.Where(key => key.Interface != LocalEndpoint.EveryInterface));
        }
        ProgramKind[] places =
            [.. dirty.Select(key => key.Place).Concat(coming.Select(led => led.Place)).Concat(going.Select(one => one.Place)).Distinct()];
        foreach (var place in places) Write(place, into);
        dirty.Clear();
        coming.Clear();
        going.Clear();
    }

    private void Write(ProgramKind place, PartsWriter into)
    {
        var keys = dirty.Where(key => key.Place == place).ToArray();
        var (byInterface, byNumber) = (Map(place), NumbersMap(place));
        if (!Has(place))
        {
            foreach (var key in keys) written.Remove(key);
            if (!maps.Remove(place)) return;
            into.RemoveSet(byInterface);
            into.RemoveSet(byNumber);
            return;
        }
        if (maps.Add(place))
        {
            into.Put(new NftSet(byInterface, [NftType.InterfaceName], false, [], ActDecideByInterface.ValueType));
            into.Put(new NftSet(byNumber, ActDecideByInterface.KeyType, false, [], [NftType.Verdict]));
            coming.UnionWith(leading.Keys.Where(led => led.Place == place));
        }
        Write(into, byNumber, [.. going.Where(one => one.Place == place).Select(one => Element(one.Number, null))],
            [.. coming.Where(led => led.Place == place).Select(led => Element(leading[led].Number, led.Chain))]);
        var following = keys.Where(chains.ContainsKey).ToArray();
        var left = keys.Where(key => !chains.ContainsKey(key) && written.Remove(key));
        written.UnionWith(following);
        Write(into, byInterface, [.. left.Select(key => Element(key.Interface, null))],
            [.. following.Select(key => Element(key.Interface, leading[new(place, chains[key])].Number))]);
    }

    private static void Write(PartsWriter into, string map, ImmutableArray<NftElement> gone, ImmutableArray<NftElement> come)
    {
        if (gone.Length > 0) into.RemoveElements(map, gone);
        if (come.Length > 0) into.PutElements(map, come);
    }

    private static NftElement Element(uint number, string? chain) =>
        NftElement.Of(ActDecideByInterface.Key(number), chain == null ? null : new NftVerdict(NftVerdictCode.Goto, chain));

    private static NftElement Element(string interfaceName, uint? number) =>
        NftElement.Of(NftOctets.OfInterface(interfaceName), number is { } known ? ActDecideByInterface.Value(known) : null);
}
