// The one way in which a test is skipped: [NeedsFact(Needs.Daemon, "birdc")]. Those that need the data beside the project bear the trait
// Data=shared, too, by which tests/run finds them: dotnet test --filter Data=shared.
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Calico.Bgp.TestMachine;

/// <summary>A test that is skipped, visibly, where something is not there that it needs.</summary>
[AttributeUsage(AttributeTargets.Method)]
[TraitDiscoverer(NeedsTrait.Discoverer, NeedsTrait.Assembly)]
public sealed class NeedsFactAttribute : FactAttribute, ITraitAttribute
{
    /// <param name="needs">Words of <see cref="Needs"/>, or programs.</param>
    public NeedsFactAttribute(params string[] needs) => Skip = Needs.Missing(needs);
}

/// <summary>The same with rows.</summary>
[AttributeUsage(AttributeTargets.Method)]
[TraitDiscoverer(NeedsTrait.Discoverer, NeedsTrait.Assembly)]
public sealed class NeedsTheoryAttribute : TheoryAttribute, ITraitAttribute
{
    /// <inheritdoc cref="NeedsFactAttribute(string[])"/>
    public NeedsTheoryAttribute(params string[] needs) => Skip = Needs.Missing(needs);
}

/// <summary>Gives the trait to whoever names shared data among its needs.</summary>
public sealed class NeedsTrait : ITraitDiscoverer
{
    public const string Discoverer = "Calico.Bgp.TestMachine.NeedsTrait", Assembly = "Calico.Bgp.TestMachine";

    public IEnumerable<KeyValuePair<string, string>> GetTraits(IAttributeInfo traitAttribute) =>
        traitAttribute.GetConstructorArguments().OfType<IEnumerable<object>>().SelectMany(words => words).OfType<string>()
            .Any(word => word.StartsWith(Needs.Shared, StringComparison.Ordinal)) ? [new("Data", "shared")] : [];
}
