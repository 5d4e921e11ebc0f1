using System.Net.Sockets;

namespace Calico.Bgp.Speaker.Handover;

/// <summary>The process that is to take over, as the one that runs sees it.</summary>
public interface IHeir
{
    /// <summary>Memory that both can read, once it is offered.</summary>
    /// <exception cref="HandoverException">There is none.</exception>
    Stream Memory(string name);

    /// <summary>Completes when all of it is there, and nothing is missing but the moment.</summary>
    /// <exception cref="HandoverException">It will not, or has died.</exception>
    Task OfferAsync(HandedState state, IReadOnlyList<Stream> images, IReadOnlyList<Socket> sockets, CancellationToken stop);

    /// <summary>Completes when the sessions are its own: nobody may use them here any more.</summary>
    /// <exception cref="HandoverException">It has not taken them, and never will.</exception>
    Task GiveAsync(HandedMoments moments, CancellationToken stop);

    /// <summary>It takes nothing over any more, and is not there when this returns.</summary>
    void End();
}

/// <summary>The process that runs, as the one that takes over sees it.</summary>
public interface ITestator
{
    HandedState State { get; }
    IReadOnlyList<Stream> Images { get; }
    IReadOnlyList<Socket> Sockets { get; }

    /// <summary>All is here. The answer is the last moment.</summary>
    /// <exception cref="HandoverException">The other one goes on.</exception>
    Task<HandedMoments> RestoredAsync(CancellationToken stop);

    /// <summary>Completes when the sessions are ours.</summary>
    /// <exception cref="HandoverException">The other one goes on.</exception>
    Task TakenAsync(CancellationToken stop);
}
