namespace Calico.Bgp.Dataplane.Egress;

/// <summary>What has come of gateways since the daemon has begun.</summary>
/// <param name="Taken">Times that this node has become the gateway of an address.</param>
/// <param name="GivenUp">Times that it has ceased to be.</param>
/// <param name="Ended">Connections ended, as their pods leave by another way.</param>
/// <param name="FlowsGiven">Flows, and ends of flows, that others were told.</param>
/// <param name="FlowsTaken">Those that others have told, and that were theirs to tell.</param>
/// <param name="FlowsRefused">Of these the ones that the kernel did not take.</param>
/// <param name="Unwaited">Times that addresses were taken without the flows of who had them.</param>
public sealed record EgressCounts(
    long Taken, long GivenUp, long Ended, long FlowsGiven, long FlowsTaken, long FlowsRefused, long Unwaited)
{
    public static readonly EgressCounts None = new(0, 0, 0, 0, 0, 0, 0);
}

/// <summary>Counted by several loops, read by whoever looks.</summary>
internal sealed class EgressCounting
{
    private long taken, givenUp, ended, flowsGiven, flowsTaken, flowsRefused, unwaited;

    public EgressCounts Now => new(Volatile.Read(ref taken), Volatile.Read(ref givenUp), Volatile.Read(ref ended),
        Volatile.Read(ref flowsGiven), Volatile.Read(ref flowsTaken), Volatile.Read(ref flowsRefused), Volatile.Read(ref unwaited));

    public void Taken() => Interlocked.Increment(ref taken);

    public void GivenUp() => Interlocked.Increment(ref givenUp);

    public void Ended(int connections) => Interlocked.Add(ref ended, connections);

    public void FlowsGiven(long flows) => Interlocked.Add(ref flowsGiven, flows);

    public void FlowsTaken(int flows) => Interlocked.Add(ref flowsTaken, flows);

    public void FlowsRefused(int flows) => Interlocked.Add(ref flowsRefused, flows);

    public void Unwaited() => Interlocked.Increment(ref unwaited);
}
