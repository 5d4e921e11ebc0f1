namespace Calico.Bgp.Resources;

/// <summary>A source has failed in a way that it did not foresee: what it said last stays, and nothing newer comes.</summary>
public sealed class SourcesFailedException(Exception cause)
    : InvalidOperationException($"a source of resources failed: {cause.Message}", cause);
