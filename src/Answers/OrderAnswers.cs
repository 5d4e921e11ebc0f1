namespace Calico.Bgp.Answers;

/// <summary><c>POST /v1/reload</c>, and <c>bgpctl plan --diff</c>: one line for each thing that changed, or would.</summary>
public sealed record ReloadAnswer(IReadOnlyList<string> Changes);

/// <summary><c>POST /v1/peers/NAME/ORDER</c>: it was given.</summary>
public sealed record OrderAnswer(string Peer, string Order);
