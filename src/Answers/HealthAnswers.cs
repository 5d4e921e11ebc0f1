namespace Calico.Bgp.Answers;

/// <summary><c>/live</c>.</summary>
public sealed record LiveAnswer(bool Live, string? Reason);

/// <summary><c>/ready</c>.</summary>
public sealed record ReadyAnswer(bool Ready, string? Reason);
