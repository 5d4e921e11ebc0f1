using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Extending;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// What is built into this daemon beside its own NAT. A daemon that is compiled ahead loads no code later, so whoever extends it puts his
/// file into this project and a line here: examples/18-nat-extension.
/// </summary>
internal static class Extensions
{
    public static readonly ImmutableArray<INatExtension> BuiltIn = [];
}
