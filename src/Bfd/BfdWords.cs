namespace Calico.Bgp.Bfd;

/// <summary>What people read.</summary>
public static class BfdWords
{
    /// <summary>RFC 5880 section 4.1's names.</summary>
    public static string Words(this BfdDiagnostic diagnostic) => diagnostic switch
    {
        BfdDiagnostic.None => "no diagnostic",
        BfdDiagnostic.ControlDetectionTimeExpired => "control detection time expired",
        BfdDiagnostic.EchoFunctionFailed => "echo function failed",
        BfdDiagnostic.NeighborSignaledSessionDown => "neighbor signaled session down",
        BfdDiagnostic.ForwardingPlaneReset => "forwarding plane reset",
        BfdDiagnostic.PathDown => "path down",
        BfdDiagnostic.ConcatenatedPathDown => "concatenated path down",
        BfdDiagnostic.AdministrativelyDown => "administratively down",
        BfdDiagnostic.ReverseConcatenatedPathDown => "reverse concatenated path down",
        _ => $"diagnostic {(int)diagnostic}",
    };
}
