using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>A chain that the kernel holds: its rules either as we have sent them, or in the octets that it told us.</summary>
internal sealed record ActualChain(NftChain Shape, ImmutableArray<byte[]> Told)
{
    public bool Holds(ImmutableArray<NftRule> rules)
    {
        if (Told.IsDefault) return Shape.Rules.AsSpan().SequenceEqual(rules.AsSpan());
        if (Told.Length != rules.Length) return false;
        for (var i = 0; i < rules.Length; i++)
        {
            var wanted = new NetlinkMessage();
            NftMessage.WriteRule(wanted, rules[i]);
            if (!AttributeCover.Covers(Told[i], wanted.Attributes)) return false;
        }
        return true;
    }
}

/// <summary>What the kernel holds under our table's name.</summary>
internal sealed class ActualTable
{
    public bool Exists { get; set; }
    public string? Comment { get; set; }
    public Dictionary<string, NftSet> Sets { get; } = [];
    public Dictionary<string, ActualChain> Chains { get; } = [];

    public static ActualTable Of(NftTable table)
    {
        var actual = new ActualTable { Exists = true, Comment = table.Comment };
        foreach (var set in table.Sets) actual.Sets[set.Name] = set;
        foreach (var chain in table.Chains) actual.Chains[chain.Name] = new(chain, default);
        return actual;
    }
}

/// <summary>
/// Reads our own table, object by object: at the start, and after somebody else has touched it. Other tables are never asked for.
/// </summary>
internal sealed class NftReading(NetlinkDump dump, string name)
{

    private readonly ActualTable table = new();
    private readonly Dictionary<string, List<byte[]>> rules = [];

    /// <summary>The kernel's when it refused the reading; 0.</summary>
    public int Errno { get; private set; }

    /// <summary>Null where the table changed under the reading, or the kernel refused it.</summary>
    public static ActualTable? Read(NetlinkDump dump, NftTable wanted, out int errno)
    {
        var reading = new NftReading(dump, wanted.Name);
        var read = reading.Read(wanted);
        errno = reading.Errno;
        return read ? reading.table : null;
    }

    private bool Read(NftTable wanted)
    {
        if (!Ask(NftMessage.AskTable(name), TakeTable)) return Errno == ENOENT && Forgive();
        if (!Ask(NftMessage.AskSets(name), TakeSet)) return false;
        foreach (var set in table.Sets.Values.ToArray())
            if (!ReadElements(set)) return false;
        return Ask(NftMessage.AskRules(name), TakeRule)
            && wanted.Chains.Select(chain => chain.Name).Union(rules.Keys).ToArray().All(ReadChain);
    }

    private bool Ask(NetlinkMessage request, DumpEntry entry)
    {
        var end = dump.Read(request, entry, out var errno);
        Errno = errno;
        return end == DumpEnd.Complete;
    }

    private bool Forgive()
    {
        Errno = 0;
        return true;
    }

    private static ReadOnlySpan<byte> Attributes(ReadOnlySpan<byte> body) => body[NetfilterHeader.Octets..];

    private void TakeTable(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        table.Exists = true;
        table.Comment = NftMessage.ReadComment(AttributeReader.Find(Attributes(body), 6), 0); // USERDATA
    }

    private void TakeSet(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        var attributes = Attributes(body);
        var set = NftSetReading.Read(attributes);
        table.Sets[set.Name] = set;
    }

    private bool ReadElements(NftSet set)
    {
        const ushort elements = 3;
        var told = new List<NftElements.Told>();
        if (!Ask(NftMessage.AskElements(name, set.Name), Take)) return false;
        table.Sets[set.Name] = set with { Elements = NftElements.Join(set, told) };
        return true;

        void Take(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            var items = new AttributeReader(AttributeReader.Find(Attributes(body), elements));
            while (items.Next(out _, out var item)) told.Add(NftElements.Read(item));
        }
    }

    private void TakeRule(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        var attributes = Attributes(body);
        var chain = AttributeReader.Text(AttributeReader.Find(attributes, 2)); // CHAIN
        if (!rules.TryGetValue(chain, out var list)) rules[chain] = list = [];
        list.Add(attributes.ToArray());
    }

    private bool ReadChain(string chain)
    {
        if (!Ask(NftMessage.AskChain(name, chain), Take)) return Errno == ENOENT && Forgive();
        return true;

        void Take(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            var attributes = Attributes(body);
            var shape = new NftChain(chain, NftSetReading.Hook(attributes), []) { Comment = NftMessage.ReadComment(AttributeReader.Find(attributes, 12), 0) };
            table.Chains[chain] = new(shape, [.. rules.GetValueOrDefault(chain) ?? []]);
        }
    }
}
