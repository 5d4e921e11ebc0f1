using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// The messages that turn the table that is there into the one that shall be, in the order in which they lean on one another: sets and
/// chains come, rules of what changes go, elements go and come, rules come, chains and sets go. Rules have no identity: a chain that
/// differs is written anew. Where something differs that the kernel lets nobody change, the whole table is replaced, in the same transaction.
/// </summary>
internal sealed class NftDifference(NftTable wanted, ActualTable actual, NftTransaction into)
{
    public static void Write(NftTable wanted, ActualTable actual, NftTransaction into, bool anew = false)
    {
        anew = actual.Exists && (anew || !CanBecome(actual, wanted));
        if (anew) into.Add(new NftPart.Removal($"table inet {wanted.Name}"), NftMessage.DeleteTable(wanted.Name));
        new NftDifference(wanted, anew ? new() : actual, into).Write();
    }

    private static bool CanBecome(ActualTable actual, NftTable wanted) =>
        actual.Comment == wanted.Comment
        && wanted.Sets.All(set => !actual.Sets.TryGetValue(set.Name, out var there) || there.SameKind(set))
        && wanted.Chains.All(chain => !actual.Chains.TryGetValue(chain.Name, out var there) || there.Shape.SameKind(chain));

    private void Write()
    {
        if (!actual.Exists) into.Add(new NftPart.Table(wanted.Name), () => NftMessage.AddTable(wanted));
        AddSets();
        foreach (var chain in wanted.Chains)
            if (!actual.Chains.ContainsKey(chain.Name))
                into.Add(new NftPart.Chain(chain.Name), () => NftMessage.AddChain(wanted.Name, chain));
        var (changed, gone) = (ChangedChains(), GoneChains());
        foreach (var chain in changed.Select(chain => chain.Name).Concat(gone))
            if (actual.Chains.ContainsKey(chain)) Remove($"rules of chain {chain}", NftMessage.FlushChain(wanted.Name, chain));
        foreach (var set in wanted.Sets) ChangeElements(set);
        foreach (var chain in changed)
            foreach (var rule in chain.Rules)
                into.Add(new NftPart.Rule(chain.Name, rule), () => NftMessage.AddRule(wanted.Name, chain.Name, rule));
        foreach (var chain in gone) Remove($"chain {chain}", NftMessage.DeleteChain(wanted.Name, chain));
        foreach (var set in actual.Sets.Keys.Where(set => wanted.Sets.All(other => other.Name != set)))
            Remove($"set {set}", NftMessage.DeleteSet(wanted.Name, set));
    }

    private void Remove(string what, NetlinkMessage message) => into.Add(new NftPart.Removal(what), message);

    private void AddSets()
    {
        var id = 0u;
        foreach (var set in wanted.Sets.Where(set => !actual.Sets.ContainsKey(set.Name)))
        {
            var number = ++id;
            into.Add(new NftPart.Set(set.Name), () => NftMessage.AddSet(wanted.Name, set, number));
        }
    }

    private List<NftChain> ChangedChains() =>
        [.. wanted.Chains.Where(chain => actual.Chains.TryGetValue(chain.Name, out var there) ? !there.Holds(chain.Rules) : !chain.Rules.IsEmpty)];

    private List<string> GoneChains() => [.. actual.Chains.Keys.Where(chain => wanted.Chains.All(other => other.Name != chain))];

    private void ChangeElements(NftSet set)
    {
        var there = actual.Sets.TryGetValue(set.Name, out var known) ? known.Elements : [];
        if (ReferenceEquals(there, set.Elements)) return;
        Elements(set, there.Except(set.Elements), add: false);
        Elements(set, set.Elements.Except(there), add: true);
    }

    private void Elements(NftSet set, IEnumerable<NftElement> elements, bool add)
    {
        foreach (var some in elements.Chunk(NftMessage.MostElements))
        {
            var message = NftMessage.Elements(wanted.Name, add).Text(2, set.Name); // SET
            var positions = new List<int>();
            using (message.OpenNested(3))                                          // ELEMENTS
                foreach (var element in some) NftElements.Write(message, set, element, positions);
            NftPart Part(NftElement element) => add ? new NftPart.Element(set.Name, element) : new NftPart.Removal($"element {element} of set {set.Name}");
            into.Add(Part(some[0]), message, [.. some.Zip(positions, (element, at) => (at, Part(element)))]);
        }
    }
}
