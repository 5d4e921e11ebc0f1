using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>One way out towards a next hop, as the kernel would take it.</summary>
public readonly record struct NextHopVia(Address? Gateway, int Interface, int Weight = 1, bool OnLink = false);

/// <summary>What the kernel's links, addresses and routes say of a next hop (RFC 4271 section 9.1.2.1).</summary>
/// <param name="Connected">On a link of ours: no route is needed to reach it.</param>
/// <param name="OwnAddress">It is one of our own addresses (RFC 4271 5.1.3): never usable.</param>
/// <param name="Metric">The interior cost: the metric of the route that leads to it.</param>
public sealed record NextHopState(bool Resolvable, bool Connected, bool OwnAddress, uint Metric, ImmutableArray<NextHopVia> Vias)
{
    public static readonly NextHopState Unresolved = new(false, false, false, 0, []);

    public bool Equals(NextHopState? other) =>
        other != null && (Resolvable, Connected, OwnAddress, Metric) == (other.Resolvable, other.Connected, other.OwnAddress, other.Metric)
        && Vias.AsSpan().SequenceEqual(other.Vias.AsSpan());
    public override int GetHashCode() => HashCode.Combine(Resolvable, Connected, OwnAddress, Metric, Vias.Length);
}

/// <summary>Resolves next hops against one state of the kernel's tables. Immutable: a change makes a new one.</summary>
public interface INextHopResolver
{
    /// <param name="scope">Interface of a link-local next hop; 0 for all others.</param>
    NextHopState Resolve(Address nextHop, int scope);

    /// <summary>The interface's name, for filters; null where there is none of that index.</summary>
    string? InterfaceName(int index);
}

/// <summary>The next hops that attribute sets name, resolved once each and again when the kernel's tables change.</summary>
internal sealed class NextHops(INextHopResolver resolver)
{
    private sealed class Entry(Address address, int scope)
    {
        public readonly Address Address = address;
        public readonly int Scope = scope;
        public NextHopState State = NextHopState.Unresolved;
        public uint References;
        /// <summary>Resolver generation in which the state last changed.</summary>
        public uint ChangedIn;
    }

    private readonly Dictionary<(Address, int), uint> handles = [];
    private readonly List<Entry?> entries = [null];
    private readonly Stack<uint> free = [];
    private uint lastHeld;

    /// <summary>Counts the resolvers seen.</summary>
    public uint Generation { get; private set; }

    /// <summary>Name of the interface that a route leads to, for filters.</summary>
    public string? InterfaceOf(in AttributeRow row)
    {
        var index = row.NextHop == 0 ? row.Marks.Scope : entries[(int)row.NextHop]!.State.Vias is [var via, ..] ? via.Interface : 0;
        return index == 0 ? null : resolver.InterfaceName(index);
    }

    public NextHopState this[uint handle] => entries[(int)handle]!.State;
    public Address AddressOf(uint handle) => entries[(int)handle]!.Address;
    public bool ChangedSince(uint handle, uint generation) => handle != 0 && entries[(int)handle]!.ChangedIn > generation;

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
            if (!free.TryPop(out handle))
            {
                handle = (uint)entries.Count;
                entries.Add(null);
            }
            entries[(int)handle] = new(address, scope) { State = resolver.Resolve(address, scope), ChangedIn = Generation };
            handles[(address, scope)] = handle;
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
    }

    /// <summary>Resolves everything anew; true where any answer differs from before.</summary>
    public bool Take(INextHopResolver newer)
    {
        resolver = newer;
        Generation++;
        var changed = false;
        foreach (var entry in entries)
        {
            if (entry == null) continue;
            var state = resolver.Resolve(entry.Address, entry.Scope);
            if (state == entry.State) continue;
            (entry.State, entry.ChangedIn, changed) = (state, Generation, true);
        }
        return changed;
    }
}
