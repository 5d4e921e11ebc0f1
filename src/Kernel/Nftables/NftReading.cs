using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>A set that the kernel holds; of a dynamic one the elements are not asked for.</summary>
internal sealed record ToldSet(NftSet Shape, List<NftElement> Elements);

/// <summary>A chain that the kernel holds, its rules in the octets that it told us.</summary>
/// <param name="Made">Its place among the table's chains, which the kernel tells in the order in which they were made.</param>
internal sealed record ToldChain(NftChain Shape, List<byte[]> Rules, long Made);

/// <summary>What the kernel holds under our table's name.</summary>
internal sealed class ToldTable
{
    public bool Exists { get; set; }

    /// <summary>How often nf_tables had been changed when the reading began.</summary>
    public uint Generation { get; set; }

    public Dictionary<string, ToldSet> Sets { get; } = [];
    public Dictionary<string, ToldChain> Chains { get; } = [];

    /// <summary>Those that belong to rules, under the names that the kernel has given them.</summary>
    public Dictionary<string, ToldSet> Anonymous { get; } = [];

    public HashSet<string> Counters { get; } = [];
    public HashSet<string> Timeouts { get; } = [];

    /// <summary>The chain has these rules and no others, in their order.</summary>
    public bool Holds(ToldChain chain, ImmutableArray<NftRule> wanted)
    {
        if (chain.Rules.Count != wanted.Length) return false;
        for (var i = 0; i < wanted.Length; i++)
            if (!Is(chain.Rules[i], wanted[i])) return false;
        return true;
    }

    /// <summary>The sets that stand in the rule are compared beside it: what the kernel tells of the rule has their names alone.</summary>
    private bool Is(ReadOnlySpan<byte> told, NftRule wanted)
    {
        var message = new NetlinkMessage();
        var names = AnonymousAsked(told);
        var sets = NftMessage.WriteRule(message, wanted, names);
        if (sets.Count != names.Count || !AttributeCover.Covers(told, message.Attributes)) return false;
        for (var i = 0; i < names.Count; i++)
            if (!IsSame(Anonymous[names[i]], sets[i].Set)) return false;
        return true;
    }

    private static bool IsSame(ToldSet told, NftSet wanted) =>
        told.Shape.SameKind(wanted with { Name = told.Shape.Name }) && told.Elements.Count == wanted.Elements.Length
        && told.Elements.ToHashSet().SetEquals(wanted.Elements);

    /// <summary>The names of anonymous sets that a rule's lookups have, in their order.</summary>
    private List<string> AnonymousAsked(ReadOnlySpan<byte> rule)
    {
        const ushort expressions = 4, name = 1, data = 2, set = 1;
        var names = new List<string>();
        var list = new AttributeReader(AttributeReader.Find(rule, expressions));
        while (list.Next(out _, out var expression))
            if (AttributeReader.Text(AttributeReader.Find(expression, name)) == "lookup"
                && AttributeReader.Text(AttributeReader.Find(AttributeReader.Find(expression, data), set)) is var asked
                && Anonymous.ContainsKey(asked)) names.Add(asked);
        return names;
    }
}

/// <summary>Reads our own table: at the start, and after somebody else has touched it.</summary>
internal sealed class NftReading
{
    private readonly NetlinkDump dump;
    private readonly string name;
    private readonly ToldTable table = new();
    private int errno;

    private NftReading(NetlinkDump dump, string name) => (this.dump, this.name) = (dump, name);

    /// <summary>Null where the table changed under the reading, or the kernel refused it.</summary>
    /// <param name="errno">The kernel's when it refused the reading; 0.</param>
    public static ToldTable? Read(NetlinkDump dump, string name, out int errno)
    {
        var reading = new NftReading(dump, name);
        var read = reading.Read();
        errno = reading.errno;
        return read ? reading.table : null;
    }

    private bool Read()
    {
        if (!Ask(NftMessage.AskGeneration(), ReadGeneration)) return false;
        if (!Ask(NftMessage.AskTable(name), ReadTable)) return errno == ENOENT && Forgive();
        if (!Ask(NftMessage.AskSets(name), ReadSet)) return false;
        foreach (var set in table.Sets.Values.Concat(table.Anonymous.Values))
            if (!set.Shape.Dynamic && !ReadElements(set)) return false;
        return Ask(NftMessage.AskCounters(name), ReadCounter) && Ask(NftMessage.AskTimeouts(name), ReadTimeout)
            && Ask(NftMessage.AskChains(), ReadChain) && Ask(NftMessage.AskRules(name), ReadRule);
    }

    private bool Ask(NetlinkMessage request, DumpEntry entry) => dump.Read(request, entry, out errno) == DumpEnd.Complete;

    /// <summary>There is no table.</summary>
    private bool Forgive()
    {
        errno = 0;
        return true;
    }

    private static ReadOnlySpan<byte> Attributes(ReadOnlySpan<byte> body) => body[NetfilterHeader.Octets..];

    private void ReadGeneration(in NetlinkHeader header, ReadOnlySpan<byte> body) => table.Generation = NftMessage.ReadGeneration(body);

    private void ReadTable(in NetlinkHeader header, ReadOnlySpan<byte> body) => table.Exists = true;

    private void ReadSet(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        var set = NftSetReading.Read(Attributes(body));
        (set.Anonymous ? table.Anonymous : table.Sets)[set.Name] = new(set, []);
    }

    private void ReadTimeout(in NetlinkHeader header, ReadOnlySpan<byte> body) =>
        table.Timeouts.Add(NftMessage.ReadTimeout(Attributes(body)));

    private void ReadCounter(in NetlinkHeader header, ReadOnlySpan<byte> body) =>
        table.Counters.Add(NftMessage.ReadCounter(Attributes(body)).Name);

    private bool ReadElements(ToldSet set)
    {
        var told = new List<NftElements.Told>();
        if (!Ask(NftMessage.AskElements(name, set.Shape.Name), ReadElement)) return false;
        set.Elements.AddRange(NftElements.Join(set.Shape, told));
        return true;

        void ReadElement(in NetlinkHeader header, ReadOnlySpan<byte> body) => Elements(body, told.Add);
    }

    /// <summary>Those of one part of a set's dump.</summary>
    public static void Elements(ReadOnlySpan<byte> body, Action<NftElements.Told> each)
    {
        const ushort elements = 3;
        var items = new AttributeReader(AttributeReader.Find(Attributes(body), elements));
        while (items.Next(out _, out var item)) each(NftElements.Read(item));
    }

    /// <summary>The others' are passed over by their table's name.</summary>
    private void ReadChain(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        var attributes = Attributes(body);
        if (AttributeReader.Text(AttributeReader.Find(attributes, NftMessage.Table)) != name) return;
        var chain = AttributeReader.Text(AttributeReader.Find(attributes, 3));                // NAME
        var comment = NftMessage.ReadComment(AttributeReader.Find(attributes, 12), 0);        // USERDATA
        table.Chains[chain] = new(new(chain, NftSetReading.Hook(attributes), []) { Comment = comment }, [], table.Chains.Count);
    }

    private void ReadRule(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        var attributes = Attributes(body);
        var chain = AttributeReader.Text(AttributeReader.Find(attributes, 2)); // CHAIN
        if (table.Chains.TryGetValue(chain, out var known)) known.Rules.Add(attributes.ToArray());
    }
}
