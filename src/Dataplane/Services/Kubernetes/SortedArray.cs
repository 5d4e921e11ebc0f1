namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>Few things in order, nearly always one: there are tens of thousands of such arrays, and each is one object alone.</summary>
internal static class SortedArray
{
    /// <param name="order">Where a thing stands beside what has the key.</param>
    /// <returns>One instead of what had its key, or more than there were.</returns>
    public static T[] With<T, TKey>(T[]? all, TKey key, T one, Func<T, TKey, int> order)
    {
        if (all == null) return [one];
        var at = Find(all, key, order);
        return at >= 0 ? [.. all.AsSpan(..at), one, .. all.AsSpan((at + 1)..)] : [.. all.AsSpan(..~at), one, .. all.AsSpan(~at..)];
    }

    /// <returns>Null: nothing is left.</returns>
    public static T[]? Without<T, TKey>(T[]? all, TKey key, Func<T, TKey, int> order)
    {
        if (all == null || Find(all, key, order) is not (>= 0 and var at)) return all;
        return all.Length == 1 ? null : [.. all.AsSpan(..at), .. all.AsSpan((at + 1)..)];
    }

    /// <returns>The complement of where it would stand, where it is not there.</returns>
    private static int Find<T, TKey>(T[] all, TKey key, Func<T, TKey, int> order)
    {
        var (from, to) = (0, all.Length - 1);
        while (from <= to)
        {
            var middle = (from + to) >>> 1;
            switch (order(all[middle], key))
            {
                case 0: return middle;
                case < 0: from = middle + 1; break;
                default: to = middle - 1; break;
            }
        }
        return ~from;
    }
}
