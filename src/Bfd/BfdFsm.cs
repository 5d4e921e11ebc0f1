namespace Calico.Bgp.Bfd;

/// <summary>
/// The state machine of RFC 5880 section 6.8.6: where a session goes when the neighbour says its state, and when it has said nothing for
/// the detection time. Pure; tests/Bfd.Tests/fsm.txt shows all of it.
/// </summary>
internal static class BfdFsm
{
    public static (BfdState Next, BfdDiagnostic Why) Hear(BfdState at, BfdState neighbour) => (at, neighbour) switch
    {
        (BfdState.AdminDown, _) => Stay(at),
        (BfdState.Down, BfdState.AdminDown) => Stay(at),
        (_, BfdState.AdminDown) => (BfdState.Down, BfdDiagnostic.NeighborSignaledSessionDown),

        (BfdState.Down, BfdState.Down) => (BfdState.Init, BfdDiagnostic.None),
        (BfdState.Down, BfdState.Init) => (BfdState.Up, BfdDiagnostic.None),
        (BfdState.Init, BfdState.Init or BfdState.Up) => (BfdState.Up, BfdDiagnostic.None),
        (BfdState.Up, BfdState.Down) => (BfdState.Down, BfdDiagnostic.NeighborSignaledSessionDown),

        (_, _) => Stay(at),
    };

    public static (BfdState Next, BfdDiagnostic Why) Expire(BfdState at) => at is BfdState.Init or BfdState.Up
        ? (BfdState.Down, BfdDiagnostic.ControlDetectionTimeExpired)
        : Stay(at);

    private static (BfdState, BfdDiagnostic) Stay(BfdState at) => (at, BfdDiagnostic.None);
}
