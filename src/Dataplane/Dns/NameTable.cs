namespace Calico.Bgp.Dataplane.Dns;

/// <summary>The names of one endpoint, or of all. Each is in one of two lists by when it was used: of names that some set asks for, and of
/// the others, which are given up first.</summary>
internal sealed class NameTable
{
    private sealed class Used
    {
        public CachedName? Newest { get; set; }
        public CachedName? Oldest { get; set; }
    }

    private readonly Dictionary<byte[], CachedName> names = new(DnsNameComparer.Instance);
    private readonly Dictionary<byte[], CachedName>.AlternateLookup<ReadOnlySpan<byte>> byOctets;
    private readonly Used askedFor = new(), others = new();

    public NameTable() => byOctets = names.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count => names.Count;
    public IEnumerable<CachedName> All => names.Values;

    public CachedName? Find(ReadOnlySpan<byte> octets) => byOctets.TryGetValue(octets, out var name) ? name : null;

    /// <summary>A name that is not there yet.</summary>
    public void Add(CachedName name)
    {
        names.Add(name.Octets, name);
        PutFirst(name);
    }

    public void Remove(CachedName name)
    {
        names.Remove(name.Octets);
        TakeOut(name);
        name.Leave();
    }

    /// <summary>It is used now; its sets may be others.</summary>
    public void Use(CachedName name)
    {
        TakeOut(name);
        PutFirst(name);
    }

    /// <summary>Its sets are others, and it is no newer for that.</summary>
    public void Rank(CachedName name)
    {
        if (name.IsAskedFor != name.Sets.Length > 0) Use(name);
    }

    /// <summary>What is given up next: of names that nobody asks for the one that was used longest ago, or else of the others.</summary>
    /// <param name="response">What it has named stays.</param>
    public CachedName? Victim(long response) => Oldest(others, response) ?? Oldest(askedFor, response);

    /// <summary>The ones that were used longest ago, of either list.</summary>
    public (CachedName? Other, CachedName? AskedFor) Ends => (others.Oldest, askedFor.Oldest);

    private static CachedName? Oldest(Used list, long response)
    {
        var name = list.Oldest;
        while (name != null && name.Response == response) name = name.Newer;
        return name;
    }

    private void PutFirst(CachedName name)
    {
        name.IsAskedFor = name.Sets.Length > 0;
        var list = name.IsAskedFor ? askedFor : others;
        (name.Older, name.Newer) = (list.Newest, null);
        if (list.Newest is { } newest) newest.Newer = name;
        else list.Oldest = name;
        list.Newest = name;
    }

    private void TakeOut(CachedName name)
    {
        var list = name.IsAskedFor ? askedFor : others;
        if (name.Newer is { } newer) newer.Older = name.Older;
        else list.Newest = name.Older;
        if (name.Older is { } older) older.Newer = name.Newer;
        else list.Oldest = name.Newer;
        (name.Newer, name.Older) = (null, null);
    }
}
