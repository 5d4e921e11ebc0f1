namespace Calico.Bgp.Conformance.Bird;

/// <summary>The configuration says something that this reader does not know, or does what has no meaning. Never caught: a test must not
/// guess.</summary>
internal sealed class BirdException(string message) : Exception(message);
