using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>
/// The next hops that attribute sets name, resolved once each, and again when what they were resolved by changes: the kernel's tables, or
/// routes of ours that lie over them (<see cref="Ways"/>).
/// </summary>
/// <remarks>
/// The longest match decides, ours and foreign ones alike, through as many routes of ours as there are. Only a circle is left out: a route
/// that the way has met already is passed over for a shorter one. A path is never reached over the very prefix that it is a path to,
/// whichever path of that prefix is in use; where a shorter one leads there all the same, it is the last choice (<see
/// cref="NextHopState.Circular"/>). So what is best there does not depend on what was best there, and nothing swings to and fro (as BIRD 2
/// does).
/// </remarks>
internal sealed class NextHops(INextHopResolver resolver)
{
    /// <summary>
    /// Routes behind each other before a way counts as leading nowhere: each costs a lookup, and a neighbour chooses how many there are.
    /// </summary>
    private const int MostWays = 64;
    /// <summary>
    /// Next hops looked at for one answer: where several routes that share packets lie behind each other, their ways multiply.
    /// </summary>
    private const int MostLooks = 1024;

    private sealed class Entry(Address address, int scope)
    {
        public readonly Address Address = address;
        public readonly int Scope = scope;
        /// <summary>
        /// By foreign routes and connected subnets alone: what counts for a neighbour one hop away, as it does for the kernel's gateways.
        /// </summary>
        public NextHopState OnLink = NextHopState.Unresolved;
        public NextHopState State = NextHopState.Unresolved;
        /// <summary>Routes of ours were asked on the way, and the two above may differ.</summary>
        public bool AsksOwn;
        /// <summary>What the way leads by beside the next hop itself: those of our routes that it meets.</summary>
        public Address[] Steps = [];
        /// <summary>What holds for paths to prefixes that the way leads over.</summary>
        public Dictionary<Prefix, NextHopState>? Without;
        public uint References;
        /// <summary>Generation in which a state last changed.</summary>
        public uint ChangedIn;
    }

    private readonly Dictionary<(Address, int), uint> handles = [];
    /// <summary>
    /// The next hops by their address, and those whose way leads by others: whom a route of ours over some addresses concerns.
    /// </summary>
    private readonly PrefixMap<List<uint>>[] byAddress = [new(IpFamily.IPv4), new(IpFamily.IPv6)];
    private readonly HashSet<uint> far = [];
    private readonly List<Entry?> entries = [null];
    private readonly Stack<uint> free = [];
    private readonly List<Prefix> over = [];
    private readonly HashSet<Address> steps = [];
    private readonly List<Prefix> avoided = [];
    private uint lastHeld;
    private int looks;
    /// <summary>What is asked on a way, while somebody wants to know.</summary>
    private List<NextHopStep>? trace;
    private int depth;

    /// <summary>Routes of ours over next hops.</summary>
    public Ways Ways { get; } = new();

    public INextHopResolver Resolver { get; private set; } = resolver;

    /// <summary>Counts the changes of what next hops are resolved by; <see cref="LastChange"/>: the last that changed an answer.</summary>
    public uint Generation { get; private set; }
    public uint LastChange { get; private set; }

    /// <summary>
    /// Is told before a next hop that nobody had is resolved, so that it is known which ways lie over it; and when nobody has it any more.
    /// </summary>
    public Action<Address, bool>? Watching { get; set; }

    /// <summary>Name of the interface that a route leads to, for filters.</summary>
    public string? InterfaceOf(in AttributeRow row)
    {
        var index = row.NextHop == 0 ? row.Marks.Scope : entries[(int)row.NextHop]!.State.Vias is [var via, ..] ? via.Interface : 0;
        return index == 0 ? null : Resolver.InterfaceName(index);
    }

    public (Address Address, int Scope) NameOf(uint handle) => (entries[(int)handle]!.Address, entries[(int)handle]!.Scope);
    public bool ChangedSince(uint handle, uint generation) => handle != 0 && entries[(int)handle]!.ChangedIn > generation;
    /// <summary>The next hop is the same for every path that names it.</summary>
    public bool IsPlain(uint handle) => !entries[(int)handle]!.AsksOwn;

    /// <summary>What holds for a path to <paramref name="node"/>'s prefix.</summary>
    /// <param name="direct">From a neighbour one hop away.</param>
    public NextHopState For(uint handle, bool direct, PrefixTable table, uint node)
    {
        var entry = entries[(int)handle]!;
        if (!entry.AsksOwn) return entry.State;
        if (direct && entry.OnLink.Connected) return entry.OnLink;
        var prefix = table[node];
        return entry.State.Over.Items.Contains(prefix) ? entry.Without?.GetValueOrDefault(prefix) ?? Without(handle, prefix) : entry.State;
    }

    private NextHopState Without(uint handle, Prefix prefix)
    {
        var entry = entries[(int)handle]!;
        avoided.Add(prefix);
        steps.Clear();
        steps.UnionWith(entry.Steps);
        var state = Find(entry.Address, entry.Scope);
        avoided.Clear();
        if (state.Over.Items.Contains(prefix)) state = state with { Circular = true };
        // Its way may lead by others: when these move, it has moved too.
        SetSteps(handle, entry);
        return (entry.Without ??= [])[prefix] = state;
    }

    /// <summary>The same walk once more, step by step, for a path to that prefix.</summary>
    public ImmutableArray<NextHopStep> StepsOf(uint handle, bool direct, Prefix prefix)
    {
        var entry = entries[(int)handle]!;
        if (entry.State.Over.Items.Contains(prefix)) avoided.Add(prefix);
        trace = [];
        Find(entry.Address, entry.Scope, direct);
        avoided.Clear();
        ImmutableArray<NextHopStep> found = [.. trace];
        trace = null;
        return found;
    }

    public uint Hold(Address address, int scope)
    {
        // One neighbour's sets mostly share a next hop.
        if (lastHeld != 0 && entries[(int)lastHeld] is { } last && last.Address == address && last.Scope == scope)
        {
            last.References++;
            return lastHeld;
        }
        if (!handles.TryGetValue((address, scope), out var handle))
        {
            Watching?.Invoke(address, true);
            if (!free.TryPop(out handle))
            {
                handle = (uint)entries.Count;
                entries.Add(null);
            }
            entries[(int)handle] = new(address, scope) { ChangedIn = Generation };
            Resolve(handle);
            handles[(address, scope)] = handle;
            if (Watching != null) List(address, handle);
        }
        entries[(int)handle]!.References++;
        return lastHeld = handle;
    }

    public void Release(uint handle)
    {
        if (handle == 0) return;
        var entry = entries[(int)handle]!;
        if (--entry.References > 0) return;
        handles.Remove((entry.Address, entry.Scope));
        entries[(int)handle] = null;
        free.Push(handle);
        far.Remove(handle);
        if (Watching == null) return;
        Unlist(entry.Address, handle);
        Watching(entry.Address, false);
    }

    private void List(Address address, uint handle)
    {
        var (map, name) = (byAddress[(int)address.Family], new Prefix(address, address.Family.Bits()));
        if (map.TryGet(name, out var those)) those.Add(handle);
        else map[name] = [handle];
    }

    private void Unlist(Address address, uint handle)
    {
        var (map, name) = (byAddress[(int)address.Family], new Prefix(address, address.Family.Bits()));
        var those = map[name];
        those.Remove(handle);
        if (those.Count == 0) map.Remove(name);
    }

    /// <summary>Resolves everything anew.</summary>
    public void ResolveBy(INextHopResolver newer)
    {
        Resolver = newer;
        Generation++;
        for (var handle = 1u; handle < entries.Count; handle++)
            if (entries[(int)handle] != null) ResolveAgain(handle);
    }

    /// <summary>A route of ours over next hops is another than before, or none (null). False: it is not.</summary>
    public bool TakeWay(Prefix prefix, Way? way)
    {
        if (!Ways.Set(prefix, way)) return false;
        Generation++;
        var behind = far.Where(handle => entries[(int)handle]!.Steps.Any(prefix.Contains)).ToHashSet();
        foreach (var (_, those) in byAddress[(int)prefix.Family].Within(prefix)) behind.UnionWith(those);
        foreach (var handle in behind) ResolveAgain(handle);
        return true;
    }

    private void ResolveAgain(uint handle)
    {
        var entry = entries[(int)handle]!;
        var (state, onLink, askedOwn) = (entry.State, entry.OnLink, entry.AsksOwn);
        Resolve(handle);
        // What holds for single prefixes is not compared: it is looked at again wherever our own routes are asked.
        if (state == entry.State && onLink == entry.OnLink && !askedOwn && !entry.AsksOwn) return;
        entry.ChangedIn = LastChange = Generation;
    }

    private void Resolve(uint handle)
    {
        var entry = entries[(int)handle]!;
        entry.OnLink = Resolver.Resolve(entry.Address, entry.Scope);
        entry.Without = null;
        steps.Clear();
        entry.State = Ways.IsEmpty ? entry.OnLink : Find(entry.Address, entry.Scope);
        entry.AsksOwn = entry.State.Over.Count > 0;
        SetSteps(handle, entry);
    }

    private void SetSteps(uint handle, Entry entry)
    {
        steps.Remove(entry.Address);
        entry.Steps = [.. steps];
        if (entry.Steps.Length > 0) far.Add(handle);
        else far.Remove(handle);
    }

    private NextHopState Find(Address address, int scope, bool direct = false)
    {
        over.Clear();
        looks = 0;
        var found = Longest(address, scope, direct);
        return over.Count == 0 ? found : found with { Over = [.. over] };
    }

    /// <summary>The longest match over foreign routes and ours, those in <see cref="avoided"/> left out.</summary>
    /// <param name="direct">Of a neighbour one hop away: where it is on a link, that is how it is reached.</param>
    private NextHopState Longest(Address address, int scope, bool direct = false)
    {
        steps.Add(address);
        var onLink = Resolver.Resolve(address, scope);
        if (onLink.OwnAddress || address.IsLinkLocal || (direct && onLink.Connected)) return Told(address, onLink, direct);
        for (var length = address.Family.Bits(); Ways.TryLongest(address, ref length, out var prefix, out var way); length--)
        {
            // Of two routes to one prefix the kernel takes that of the lower metric; where they do not differ, there is only the foreign
            // one.
            if (length < onLink.Covering || (length == onLink.Covering && onLink.Metric <= way.Metric)) break;
            if (!over.Contains(prefix)) over.Add(prefix);
            var bar = avoided.Contains(prefix) ? NextHopRule.Circle : way.IsDead ? way.End
                : avoided.Count >= MostWays ? NextHopRule.TooFar : NextHopRule.Route;
            trace?.Add(new(depth, address, prefix, way.Peer, 0, way.Metric, [.. way.Vias.Items], bar));
            if (bar == NextHopRule.Circle) continue;
            if (bar != NextHopRule.Route) return NextHopState.Unresolved with { Bar = bar };
            avoided.Add(prefix);
            depth++;
            var found = Along(way, address);
            depth--;
            avoided.Remove(prefix);
            // Nothing but a circle keeps a route in use from leading somewhere; or one of its next hops has gone, and it will go, too.
            if (found != null) return found;
        }
        return Told(address, onLink, direct);
    }

    private NextHopState Told(Address address, NextHopState onLink, bool direct)
    {
        trace?.Add(new(
            depth, address, onLink.Covering < 0 ? null : new Prefix(address, onLink.Covering), null, onLink.Protocol, onLink.Metric,
            onLink.Vias, onLink.RuleFor(direct)));
        return onLink;
    }

    private NextHopState? Along(Way way, Address address)
    {
        if (way.Vias.Count > 0) return Along(way.Vias, way.Metric, address);
        var vias = new List<NextHopVia>();
        uint? metric = null;
        foreach (var hop in way.NextHops.Items)
        {
            if (looks++ >= MostLooks) break;
            var state = Longest(hop.Address, hop.Scope, hop.Direct);
            if (!state.IsUsable(hop.Direct)) continue;
            metric ??= (uint)Math.Min((ulong)way.Metric + state.Metric, uint.MaxValue);
            vias.AddRange(state.Vias.Except(vias));
        }
        return metric is { } sum ? new(true, false, false, sum, [.. vias]) : null;
    }

    // A static route that names no gateway says that all of its prefix is on that link.
    private static NextHopState Along(ListOf<NextHopVia> vias, uint metric, Address address) => new(
        true, vias[0].Gateway == null, false, metric,
        [.. vias.Select(via => via.Gateway == null ? via with { Gateway = address, OnLink = true } : via)]);
}
