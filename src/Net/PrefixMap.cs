namespace Calico.Bgp.Net;

/// <summary>
/// A path-compressed binary trie from prefixes of one family to values: exact match, longest match, and walks below a prefix in
/// order. For sets that are looked into by address (next hops, filters' prefix lists); the RIB itself hashes.
/// </summary>
/// <remarks>Readers may share a map that nobody writes any more.</remarks>
public sealed class PrefixMap<T>(IpFamily family)
{
    private sealed class Node(Address bits, int length)
    {
        public readonly Address Bits = bits;
        public readonly int Length = length;
        public Node? Left, Right;
        public bool HasValue;
        public T Value = default!;

        public ref Node? Child(Address key) => ref key.Bit(Length) ? ref Right : ref Left;
        public bool Covers(Address key, int keyLength) => keyLength >= Length && key.Masked(Length) == Bits;
    }

    private Node? root;

    public IpFamily Family { get; } = family;
    public int Count { get; private set; }

    public T this[Prefix prefix]
    {
        get => TryGet(prefix, out var value) ? value : throw new KeyNotFoundException($"{prefix} is not in the map");
        set => Set(prefix, value);
    }

    public bool TryGet(Prefix prefix, out T value)
    {
        var key = prefix.Address;
        var node = root;
        while (node != null && node.Length < prefix.Length && node.Covers(key, prefix.Length)) node = node.Child(key);
        var found = node is { HasValue: true } && node.Length == prefix.Length && node.Bits == key && prefix.Family == Family;
        value = found ? node!.Value : default!;
        return found;
    }

    /// <summary>The longest prefix that contains the address.</summary>
    public bool TryLongest(Address address, out Prefix prefix, out T value) =>
        TryLongest(new Prefix(address, address.Family.Bits()), out prefix, out value);

    /// <summary>The longest prefix that contains the given one (itself included).</summary>
    public bool TryLongest(Prefix of, out Prefix prefix, out T value)
    {
        Node? best = null;
        var key = of.Address;
        for (var node = of.Family == Family ? root : null; node != null && node.Covers(key, of.Length); node = node.Child(key))
        {
            if (node.HasValue) best = node;
            if (node.Length == of.Length || node.Length == 128) break;
        }
        prefix = best == null ? default : new(best.Bits, best.Length);
        value = best == null ? default! : best.Value;
        return best != null;
    }

    private void Set(Prefix prefix, T value)
    {
        if (prefix.Family != Family) throw new ArgumentException($"{prefix} does not belong into a map of {Family}", nameof(prefix));
        var key = prefix.Address;
        ref var slot = ref root;
        while (true)
        {
            if (slot == null) { slot = new(key, prefix.Length); break; }
            if (slot.Covers(key, prefix.Length))
            {
                if (slot.Length == prefix.Length) break;
                slot = ref slot.Child(key)!;
                continue;
            }
            var common = Math.Min(Math.Min(slot.Length, prefix.Length), slot.Bits.CommonBits(key));
            var fork = new Node(key.Masked(common), common);
            fork.Child(slot.Bits) = slot;
            slot = fork;
            if (common == prefix.Length) break;
            slot = ref fork.Child(key)!;
        }
        if (!slot.HasValue) Count++;
        (slot.HasValue, slot.Value) = (true, value);
    }

    public bool Remove(Prefix prefix)
    {
        if (prefix.Family != Family || !Remove(ref root, prefix)) return false;
        Count--;
        return true;
    }

    private static bool Remove(ref Node? slot, Prefix prefix)
    {
        var node = slot;
        var key = prefix.Address;
        if (node == null || !node.Covers(key, prefix.Length)) return false;
        if (node.Length == prefix.Length)
        {
            if (!node.HasValue) return false;
            (node.HasValue, node.Value) = (false, default!);
        }
        else if (!Remove(ref node.Child(key), prefix)) return false;
        if (!node.HasValue && (node.Left == null || node.Right == null)) slot = node.Left ?? node.Right;
        return true;
    }

    /// <summary>Every entry inside <paramref name="within"/>, in the order of addresses, shorter prefixes first.</summary>
    public IEnumerable<KeyValuePair<Prefix, T>> Within(Prefix within)
    {
        if (within.Family != Family) yield break;
        var key = within.Address;
        var top = root;
        while (top != null && top.Length < within.Length && top.Covers(key, within.Length)) top = top.Child(key);
        if (top == null || top.Length < within.Length || top.Bits.Masked(within.Length) != key) yield break;
        var stack = new Stack<Node>([top]);
        while (stack.TryPop(out var node))
        {
            if (node.HasValue) yield return new(new(node.Bits, node.Length), node.Value);
            if (node.Right != null) stack.Push(node.Right);
            if (node.Left != null) stack.Push(node.Left);
        }
    }

    /// <summary>There is an entry inside, <paramref name="within"/> itself included.</summary>
    public bool AnyWithin(Prefix within)
    {
        var node = within.Family == Family ? root : null;
        var key = within.Address;
        while (node != null && node.Length < within.Length && node.Covers(key, within.Length)) node = node.Child(key);
        // Below every node there is a value, or it would not stand there.
        return node != null && node.Length >= within.Length && node.Bits.Masked(within.Length) == key;
    }

    public IEnumerable<KeyValuePair<Prefix, T>> All => Within(Family == IpFamily.IPv4 ? Prefix.DefaultIPv4 : Prefix.DefaultIPv6);
}
