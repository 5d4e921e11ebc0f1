using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>What is wanted of our table as packets meet it: without what the kernel has refused.</summary>
/// <param name="ask">Whether a dynamic set has a key now, null where that is not known; null: nobody is asked.</param>
internal sealed class PartsTable(NftParts parts, Predicate<NftPart>? blocked, Func<string, NftOctets, bool?>? ask) : IPacketTable
{
    /// <summary>Looked up once: it stands for one look at the parts, of one packet or of several.</summary>
    private NftChain[]? baseChains;

    public IEnumerable<NftChain> BaseChains => baseChains ??= [.. parts.Chains.Where(chain => chain.Wanted?.Hook != null)
        .OrderBy(chain => chain.Made ?? long.MaxValue).Select(chain => Now(chain.Wanted!))];

    public NftChain? Chain(string name) => parts.Chain(name)?.Wanted is { } wanted ? Now(wanted) : null;

    private NftChain Now(NftChain wanted) => blocked == null ? wanted : wanted with { Rules = wanted.Standing(blocked) };

    public bool IsInForce(NftChain chain, NftRule rule) => blocked == null
        || (!blocked(new NftPart.Rule(chain.Name, rule)) && !blocked(new NftPart.Chain(chain.Name)));

    public SetAnswer Find(string set, NftOctets key)
    {
        // A rule that asks a set which is not there is none that the kernel takes.
        if (parts.Set(set) is not { Wanted: { } wanted } part) return SetAnswer.Absent;
        if (wanted.Dynamic) return Ask(wanted, key);
        if (wanted.Intervals)
            return InForce(part, wanted.Key.Length > 1 ? PacketTable.Among(wanted, part.Elements, key)
                : PacketTable.Nearest(wanted, part.InOrder, key));
        return part.TryFind(key, out var element) ? InForce(part, SetAnswer.Of(wanted, element)) : SetAnswer.Absent;
    }

    private SetAnswer Ask(NftSet set, NftOctets key) => ask?.Invoke(set.Name, key) switch
    {
        null => SetAnswer.Unknown,
        // What a map leads to there the answer does not tell.
        true when set.IsMap => SetAnswer.Unknown,
        true => SetAnswer.Of(set, NftElement.Of(key)),
        false => SetAnswer.Absent,
    };

    public IEnumerable<NftElement>? Elements(string set) => parts.Set(set) is not { Wanted: { } wanted } part ? [] : wanted.Dynamic ? null
        : part.Elements.Where(element => blocked?.Invoke(new NftPart.Element(set, element)) != true);

    private SetAnswer InForce(SetPart part, SetAnswer found) =>
        found.IsThere == true && blocked?.Invoke(new NftPart.Element(part.Name, found.Element)) == true ? SetAnswer.Absent : found;
}
