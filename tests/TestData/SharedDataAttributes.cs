// Tests that need shared data: skipped, visibly, where it is absent. All of them bear the trait Data=shared, by which tests/run finds
// them: dotnet test --filter Data=shared.
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Calico.Bgp.TestData;

[AttributeUsage(AttributeTargets.Method)]
[TraitDiscoverer(SharedDataTrait.Discoverer, SharedDataTrait.Assembly)]
public sealed class SharedDataFactAttribute : FactAttribute, ITraitAttribute
{
    public SharedDataFactAttribute(string path) => Skip = SharedData.Missing(path);
}

/// <summary>As <see cref="SharedDataFactAttribute"/>, for tests with rows.</summary>
[AttributeUsage(AttributeTargets.Method)]
[TraitDiscoverer(SharedDataTrait.Discoverer, SharedDataTrait.Assembly)]
public sealed class SharedDataTheoryAttribute : TheoryAttribute, ITraitAttribute
{
    public SharedDataTheoryAttribute(string path) => Skip = SharedData.Missing(path);
}

/// <summary>What gives a test the trait, whichever attribute of it implements <see cref="ITraitAttribute"/>.</summary>
public sealed class SharedDataTrait : ITraitDiscoverer
{
    public const string Discoverer = "Calico.Bgp.TestData.SharedDataTrait", Assembly = "Calico.Bgp.TestData";

    public IEnumerable<KeyValuePair<string, string>> GetTraits(IAttributeInfo traitAttribute) => [new("Data", "shared")];
}
