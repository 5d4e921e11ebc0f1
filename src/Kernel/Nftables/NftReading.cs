using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>A set that the kernel holds; of a dynamic one the elements are not asked for.</summary>
internal sealed record ToldSet(NftSet Shape, List<NftElement> Elements);

/// <summary>A chain that the kernel holds, its rules in the octets that it told us.</summary>
internal sealed record ToldChain(NftChain Shape, List<byte[]> Rules)
{
    public bool Holds(ImmutableArray<NftRule> wanted)
    {
        if (Rules.Count != wanted.Length) return false;
        for (var i = 0; i < wanted.Length; i++)
        {
            var message = new NetlinkMessage();
            NftMessage.WriteRule(message, wanted[i]);
            if (!AttributeCover.Covers(Rules[i], message.Attributes)) return false;
        }
        return true;
    }
}

/// <summary>What the kernel holds under our table's name.</summary>
internal sealed class ToldTable
{
    public bool Exists { get; set; }

    /// <summary>How often nf_tables had been changed when the reading began.</summary>
    public uint Generation { get; set; }

    public Dictionary<string, ToldSet> Sets { get; } = [];
    public Dictionary<string, ToldChain> Chains { get; } = [];
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
        foreach (var set in table.Sets.Values)
            if (!set.Shape.Dynamic && !ReadElements(set)) return false;
        return Ask(NftMessage.AskChains(), ReadChain) && Ask(NftMessage.AskRules(name), ReadRule);
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
        table.Sets[set.Name] = new(set, []);
    }

    private bool ReadElements(ToldSet set)
    {
        const ushort elements = 3;
        var told = new List<NftElements.Told>();
        if (!Ask(NftMessage.AskElements(name, set.Shape.Name), ReadElement)) return false;
        set.Elements.AddRange(NftElements.Join(set.Shape, told));
        return true;

        void ReadElement(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            var items = new AttributeReader(AttributeReader.Find(Attributes(body), elements));
            while (items.Next(out _, out var item)) told.Add(NftElements.Read(item));
        }
    }

    /// <summary>The others' are passed over by their table's name.</summary>
    private void ReadChain(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        var attributes = Attributes(body);
        if (AttributeReader.Text(AttributeReader.Find(attributes, NftMessage.Table)) != name) return;
        var chain = AttributeReader.Text(AttributeReader.Find(attributes, 3));                // NAME
        var comment = NftMessage.ReadComment(AttributeReader.Find(attributes, 12), 0);        // USERDATA
        table.Chains[chain] = new(new(chain, NftSetReading.Hook(attributes), []) { Comment = comment }, []);
    }

    private void ReadRule(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        var attributes = Attributes(body);
        var chain = AttributeReader.Text(AttributeReader.Find(attributes, 2)); // CHAIN
        if (table.Chains.TryGetValue(chain, out var known)) known.Rules.Add(attributes.ToArray());
    }
}
