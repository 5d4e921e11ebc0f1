// From BFD's sessions to what /v1/bfd and /v1/peers say.

using Calico.Bgp.Answers;
using Calico.Bgp.Bfd;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Http;

internal static class BfdAnswers
{
    public static IReadOnlyList<BfdAnswer> All(ISpeaker speaker) => [.. speaker.Bfd.Select(Of)];

    public static PeerBfdAnswer Of(PeerBfdStatus status) => status.Session is not { } session
        ? new(null, null, null, null, null)
        : new(Word(session.State), session.Since, session.Interval.TotalSeconds, session.DetectionTime.TotalSeconds, Loss(session))
        {
            Problem = session.Problem,
        };

    public static string Word(BfdState state) => state switch
    {
        BfdState.AdminDown => "adminDown",
        BfdState.Down => "down",
        BfdState.Init => "init",
        _ => "up",
    };

    private static BfdAnswer Of(BfdNeighbour neighbour)
    {
        var (session, times) = (neighbour.Session, neighbour.Session.Times);
        return new()
        {
            Address = session.Key.Peer.ToString(),
            Interface = neighbour.Link,
            Multihop = session.Key.Multihop,
            State = Word(session.State),
            Since = session.Since,
            Peers = neighbour.Peers,
            Interval = session.Interval.TotalSeconds,
            DetectionTime = session.DetectionTime.TotalSeconds,
            Configured = new(times.Send.TotalSeconds, times.Receive.TotalSeconds, times.Idle.TotalSeconds, times.Multiplier),
            Diagnostic = Words(session.Diagnostic),
            RemoteState = Word(session.RemoteState),
            RemoteDiagnostic = Words(session.RemoteDiagnostic),
            RemoteIsIndependent = session.RemoteIsIndependent,
            LocalDiscriminator = session.LocalDiscriminator,
            RemoteDiscriminator = session.RemoteDiscriminator,
            UpTransitions = session.Ups,
            Losses = session.Losses,
            LastLoss = Loss(session),
            PacketsSent = session.Counters.Sent,
            PacketsReceived = session.Counters.Received,
            PacketsDiscarded = session.Counters.Discarded,
            Problem = session.Problem,
        };
    }

    private static BfdLossAnswer? Loss(BfdSessionStatus session) => session.LastLoss is { } loss ? new(loss.Words, loss.At) : null;

    private static string? Words(BfdDiagnostic diagnostic) => diagnostic == BfdDiagnostic.None ? null : diagnostic.Words();
}
