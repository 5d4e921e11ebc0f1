namespace Calico.Bgp.Answers;

/// <summary>What every refused request is answered with.</summary>
public sealed record ErrorAnswer(string Error);
