using System.Reflection;
using Xunit.Sdk;

namespace Calico.Bgp.Conformance.Routers;

/// <summary>A row for each daemon that the theory names; a daemon that is not installed is one skipped row.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class PeerAttribute : DataAttribute
{
    private readonly string name;

    public PeerAttribute(string name)
    {
        this.name = name;
        Skip = Needs.Missing([Needs.Daemon, .. Router.ProgramsOf(name)]);
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[name]];
}
