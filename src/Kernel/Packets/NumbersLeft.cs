namespace Calico.Bgp.Kernel.Packets;

/// <summary>Of a header's numbers (ports, protocols, types) those from one to another.</summary>
internal readonly record struct NumberRange(int From, int To)
{
    public static NumberRange One(int number) => new(number, number);
}

/// <summary>What a number of a packet's header may be: all, until something of it is said or assumed.</summary>
internal sealed class NumbersLeft
{
    private List<NumberRange> left;

    public NumbersLeft(int? known, int highest) : this(known is { } number ? NumberRange.One(number) : new(0, highest)) { }

    public NumbersLeft(NumberRange range) => left = [range];

    /// <summary>Null: it may be several.</summary>
    public int? Known => left is [var only] && only.From == only.To ? only.From : null;

    /// <summary>Whether it is in one of the ranges; null: it may be in them and beside them.</summary>
    public bool? Is(params ReadOnlySpan<NumberRange> ranges)
    {
        var beside = Without(left, ranges);
        return beside.Count == 0 ? true : Count(beside) == Count(left) ? false : null;
    }

    public void Learn(ReadOnlySpan<NumberRange> ranges, bool isSo)
    {
        var beside = Without(left, ranges);
        left = isSo ? Without(left, [.. beside]) : beside;
    }

    public void Learn(NumberRange range, bool isSo) => Learn([range], isSo);

    private static int Count(List<NumberRange> ranges) => ranges.Sum(range => range.To - range.From + 1);

    private static List<NumberRange> Without(List<NumberRange> from, ReadOnlySpan<NumberRange> ranges)
    {
        var rest = from;
        foreach (var (first, last) in ranges)
        {
            var next = new List<NumberRange>();
            foreach (var one in rest)
            {
                if (last < one.From || first > one.To) { next.Add(one); continue; }
                if (first > one.From) next.Add(one with { To = first - 1 });
                if (last < one.To) next.Add(one with { From = last + 1 });
            }
            rest = next;
        }
        return rest;
    }
}
