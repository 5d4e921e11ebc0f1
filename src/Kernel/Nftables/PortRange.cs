using System.Collections.Immutable;

namespace Calico.Bgp.Kernel.Nftables;

public readonly record struct PortRange(ushort From, ushort To)
{
    public override string ToString() => From == To ? $"{From}" : $"{From}-{To}";

    /// <summary>In order, without those that overlap or touch: as a set of the kernel's takes them.</summary>
    internal static ImmutableArray<PortRange> Joined(ReadOnlySpan<PortRange> ranges)
    {
        var joined = ImmutableArray.CreateBuilder<PortRange>(ranges.Length);
        PortRange[] sorted = [.. ranges];
        Array.Sort(sorted, (a, b) => a.From.CompareTo(b.From));
        foreach (var next in sorted)
            if (joined.Count > 0 && next.From <= joined[^1].To + 1) joined[^1] = new(joined[^1].From, Math.Max(joined[^1].To, next.To));
            else joined.Add(next);
        return joined.DrainToImmutable();
    }
}
