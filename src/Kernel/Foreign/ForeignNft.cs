using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Foreign;

/// <summary>A table of nf_tables that others have written, its chains and sets read as they are asked for.</summary>
internal sealed class ForeignNft(NetlinkDump dump, byte family, string name) : IForeignTable
{
    /// <summary>Dumps that a change of the table has interrupted are begun again.</summary>
    private const int Attempts = 3;

    private static readonly Dictionary<byte, string> FamilyWords = new() { [NftMessage.Inet] = "inet", [2] = "ip", [10] = "ip6" };

    private readonly Dictionary<string, List<byte[]>?> chains = [];
    private readonly Dictionary<string, ToldSet?> sets = [];

    public string Words => $"table {FamilyWords[family]} {name}";

    /// <summary>Others' chains that translate destinations at this place; null: the kernel did not tell.</summary>
    public static List<ForeignHook>? Hooks(NetlinkDump dump, IpFamily family, NftHookPoint place, string ours)
    {
        var found = new List<ForeignHook>();
        foreach (var number in (byte[])[family.Number(), NftMessage.Inet])
        {
            var tables = new Dictionary<string, ForeignNft>();
            if (!Ask(dump, NftMessage.AskOtherChains(number), Read, found.Clear)) return null;

            void Read(ReadOnlySpan<byte> attributes)
            {
                if (NftSetReading.Hook(attributes) is not { Type: "nat" } hook || hook.Point != place) return;
                var table = AttributeReader.Text(AttributeReader.Find(attributes, NftMessage.Table));
                if (table == ours) return;
                if (!tables.TryGetValue(table, out var known)) tables[table] = known = new(dump, number, table);
                found.Add(new(known, AttributeReader.Text(AttributeReader.Find(attributes, 3)), hook.Priority)); // NAME
            }
        }
        return found;
    }

    private delegate void Told(ReadOnlySpan<byte> attributes);

    private static bool Ask(NetlinkDump dump, NetlinkMessage question, Told told, Action anew)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var end = dump.Read(question, (in NetlinkHeader _, ReadOnlySpan<byte> body) =>
            {
                if (body.Length >= NetfilterHeader.Octets) told(body[NetfilterHeader.Octets..]);
            }, out _);
            if (end != DumpEnd.Interrupted) return end == DumpEnd.Complete;
            anew();
        }
        return false;
    }

    public IReadOnlyList<byte[]>? Rules(string chain)
    {
        if (chains.TryGetValue(chain, out var known)) return known;
        const ushort expressions = 4;
        var read = new List<byte[]>();
        var isWhole = Ask(dump, NftMessage.AskOtherRules(family, name, chain),
            attributes => read.Add(AttributeReader.Find(attributes, expressions).ToArray()), read.Clear);
        return chains[chain] = isWhole ? read : null;
    }

    /// <summary>What a set or a map has; null: it could not be read.</summary>
    public ToldSet? Set(string set)
    {
        if (sets.TryGetValue(set, out var known)) return known;
        NftSet? shape = null;
        var told = new List<NftElements.Told>();
        const ushort elements = 3;
        var isWhole = Ask(dump, NftMessage.AskOtherSet(family, name, set), attributes => shape = NftSetReading.Read(attributes), () => { })
            && Ask(dump, NftMessage.AskOtherElements(family, name, set), attributes =>
            {
                var items = new AttributeReader(AttributeReader.Find(attributes, elements));
                while (items.Next(out _, out var item)) told.Add(NftElements.Read(item));
            }, told.Clear);
        return sets[set] = isWhole && shape != null ? new(shape, NftElements.Join(shape, told)) : null;
    }

    public ForeignVerdict Ask(byte[] rule, ForeignPacket packet) => new ForeignExpressions(Words, Set, packet).Run(rule);
}
