// Tests that need something of the machine say so when it is not there, instead of passing or failing.
using System.Reflection;
using Calico.Bgp.TestData;
using Xunit.Sdk;

namespace Calico.Bgp.Conformance.Machine;

/// <summary>A test that needs root and programs.</summary>
internal sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(params string[] programs) => Skip = Project.Missing(programs);
}

/// <summary>The same with rows.</summary>
internal sealed class NeedsTheoryAttribute : TheoryAttribute
{
    public NeedsTheoryAttribute(params string[] programs) => Skip = Project.Missing(programs);
}

/// <summary>A test that needs data beside the project, too.</summary>
[AttributeUsage(AttributeTargets.Method)]
[TraitDiscoverer(SharedDataTrait.Discoverer, SharedDataTrait.Assembly)]
internal sealed class NeedsDataFactAttribute : FactAttribute, ITraitAttribute
{
    public NeedsDataFactAttribute(string[] files, params string[] programs) =>
        Skip = files.Select(SharedData.Missing).FirstOrDefault(missing => missing != null) ?? Project.Missing(programs);
}

/// <summary>A row for each daemon that the theory names; a daemon that is not installed is one skipped row.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class PeerAttribute : DataAttribute
{
    private readonly string name;

    public PeerAttribute(string name)
    {
        this.name = name;
        Skip = Project.Missing(Routers.Router.ProgramsOf(name));
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[name]];
}
