using System.Collections.Immutable;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A chain by its name: as it shall be, and as the kernel has it. Rules have no identity: a chain that differs is written anew.
/// </summary>
internal sealed class ChainPart(string name)
{
    public string Name => name;

    /// <summary>Null: it shall not be.</summary>
    public NftChain? Wanted { get; private set; }

    /// <summary>Whatever rules it has there; null: the kernel has no such chain.</summary>
    public NftChain? There { get; private set; }

    /// <summary>Grows with each chain that the kernel has made; null: it has not.</summary>
    public long? Made { get; private set; }

    /// <summary>The rules that the kernel has; default: others than were wanted when they were read.</summary>
    public ImmutableArray<NftRule> InForce { get; private set; } = [];

    /// <summary>Those in force ask another map in place of one that is made again.</summary>
    public bool AsksStandIns { get; private set; }

    /// <summary>The kernel lets nobody make of it what is wanted.</summary>
    public bool ChangesKind => Wanted != null && There != null && !There.SameKind(Wanted);

    public bool Differs => Wanted == null ? There != null : There == null || ChangesKind || !Holds(Wanted.Rules);

    public bool IsEmpty => !InForce.IsDefault && InForce.IsEmpty;

    public bool Holds(ImmutableArray<NftRule> rules) =>
        !AsksStandIns && !InForce.IsDefault && InForce.AsSpan().SequenceEqual(rules.AsSpan());

    /// <summary>What may stand instead of its rules is asked for while these are not in force.</summary>
    public bool Wants(NftRule rule) => Wanted is { } wanted
        && (wanted.Rules.Contains(rule) || (!Holds(wanted.Rules) && wanted.Instead.Any(rules => rules.Contains(rule))));

    /// <summary>True where something has to be done about it.</summary>
    public bool Put(NftChain chain)
    {
        if (Wanted?.Same(chain) == true) return false;
        Wanted = chain;
        return true;
    }

    public void Remove() => Wanted = null;

    /// <summary>What the kernel has was read.</summary>
    /// <param name="allowed">What is wanted, without what the kernel has refused before.</param>
    public void Compare(ToldTable table, ImmutableArray<NftRule> allowed)
    {
        var told = table.Chains.GetValueOrDefault(name);
        (There, Made, AsksStandIns) = (told?.Shape, told?.Made, false);
        InForce = told == null ? [] : table.Holds(told, allowed) ? allowed : default;
    }

    /// <summary>The kernel has it now as it was sent.</summary>
    /// <param name="made">Where it was made, now or before.</param>
    public void Commit(ImmutableArray<NftRule> rules, long? made, bool asksStandIns) =>
        (There, InForce, Made, AsksStandIns) = (Wanted, rules, made, asksStandIns);

    /// <summary>It has no rules any more, and goes when nothing leads to it.</summary>
    public void Empty() => (InForce, AsksStandIns) = ([], false);
}
