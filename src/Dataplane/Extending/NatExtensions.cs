using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Extending;

/// <summary>What extensions contribute, as one feature: each in chains of its own, which the base chains lead to.</summary>
internal sealed class NatExtensions(ImmutableArray<INatExtension> extensions, ILogger log) : IFeature
{
    public const string FeatureName = "ext";

    /// <param name="Parts">Its own parts; its rules are those that lead to its chains.</param>
    private sealed record Built(NatRules Parts, ImmutableArray<string> Counters, ImmutableArray<(NatSlot Slot, NftRule Rule)> Entrances)
    {
        public static readonly Built Nothing = new(NatRules.None, [], []);

        public bool Same(Built other) => Parts.Same(other.Parts) && Counters.AsSpan().SequenceEqual(other.Counters.AsSpan())
            && Entrances.AsSpan().SequenceEqual(other.Entrances.AsSpan());
    }

    private NatModel model = new(KernelSnapshot.Empty);
    private Built wanted = Built.Nothing, written = Built.Nothing;
    private bool isDirty = true;

    public string Name => FeatureName;
    public TimeSpan? Due => null;

    /// <summary>Extensions that are left out, and why.</summary>
    public ImmutableArray<string> Problems { get; private set; } = [];

    public bool Concerns(DataplaneChange change) => !extensions.IsEmpty && change is DataplaneChange.Machine;

    public void Apply(DataplaneChange change)
    {
        if (change is not DataplaneChange.Machine(var now)) return;
        if (now.Links == model.Machine.Links && now.Addresses == model.Machine.Addresses) return;
        (model, isDirty) = (new(now), true);
    }

    public bool Look()
    {
        if (!isDirty) return false;
        isDirty = false;
        var problems = new List<string>();
        var built = extensions.Select(one => Build(one, problems)).ToArray();
        wanted = new(new([.. built.SelectMany(one => one.Parts.Sets)], [.. built.SelectMany(one => one.Parts.Chains)], []),
            [.. built.SelectMany(one => one.Counters)], [.. built.SelectMany(one => one.Entrances)]);
        foreach (var words in problems.Except(Problems)) DataplaneLog.ExtensionLeftOut(log, words);
        Problems = [.. problems];
        return !wanted.Same(written);
    }

    private Built Build(INatExtension extension, List<string> problems)
    {
        var prefix = NatContribution.PrefixOf(extension.Name);
        try
        {
            if (extension.Name.Length == 0 || !extension.Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)))
                throw new ArgumentException("expected a name of small letters and digits");
            var all = extension.Build(model).ToArray();
            NftSet[] sets = [.. all.SelectMany(one => one.Sets).DistinctBy(set => set.Name)];
            string[] counters = [.. all.SelectMany(one => one.Counters).Distinct()];
            if (sets.Select(set => set.Name).Concat(counters)
                .FirstOrDefault(name => !name.StartsWith(prefix, StringComparison.Ordinal)) is { } other)
                throw new ArgumentException($"expected names that begin with {prefix}, got {other}");
            // Half of what is to be done in one place is not done: where the kernel refuses a rule, the slot has none.
            NftChain[] chains = [.. all.GroupBy(one => one.Slot).OrderBy(slot => slot.Key).Select(slot => new NftChain(
                ChainOf(prefix, slot.Key), null, [.. slot.SelectMany(one => one.Rules)]) { Instead = [[]] })];
            return new(new([.. sets], [.. chains], []), [.. counters], [.. all.Select(one => one.Slot).Distinct().Order()
                .Select(slot => (slot, new NftRule([ActDecide.Jump(ChainOf(prefix, slot))], $"extension {extension.Name}")))]);
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // Others' code: whatever it fails by, all else goes on.
            problems.Add($"the extension {extension.Name} is left out: {failed.Message}");
            return Built.Nothing;
        }
    }

    private static string ChainOf(string prefix, NatSlot slot) => prefix + slot.ToString().ToLowerInvariant();

    public void Write(PartsWriter into)
    {
        if (into.IsFresh) written = Built.Nothing;
        foreach (var counter in wanted.Counters.Except(written.Counters)) into.PutCounter(counter);
        wanted.Parts.WriteParts(into, written.Parts);
        foreach (var counter in written.Counters.Except(wanted.Counters)) into.RemoveCounter(counter);
        foreach (var slot in Enum.GetValues<NatSlot>())
            if (!Entrances(wanted, slot).SequenceEqual(Entrances(written, slot))) into.PutRules(BaseOf(slot), [.. Entrances(wanted, slot)]);
        written = wanted;
    }

    private static IEnumerable<NftRule> Entrances(Built built, NatSlot slot) =>
        built.Entrances.Where(one => one.Slot == slot).Select(one => one.Rule);

    private static NftChain BaseOf(NatSlot slot) => slot switch
    {
        NatSlot.PreDnat => Frame.ManglePrerouting,
        NatSlot.Dnat => Frame.Services,
        NatSlot.PostDnat => Frame.Translated,
        NatSlot.Forward => Frame.ForwardFrom,
        NatSlot.PreSnat => Frame.ManglePostrouting,
        _ => Frame.Postrouting,
    };

    public void InForce()
    {
    }
}
