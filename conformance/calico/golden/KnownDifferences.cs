// Where the daemon is meant to differ from Calico, and why. Nothing else may.
namespace Calico.Bgp.Conformance.Golden;

internal static class KnownDifferences
{
    /// <summary>
    /// A password that cannot be read. Calico opens the session without it; here the peer is listed with the problem and stays down
    /// (reference, section 7, own findings; the issue: "never a session without its password").
    /// </summary>
    private static readonly Dictionary<string, string[]> WithoutPassword = new()
    {
        ["password/step1"] = ["Node_10_24_0_2", "Node_10_24_0_3", "Node_10_24_10_10"],
        ["password/step2"] = ["Node_10_24_0_2", "Node_10_24_10_10"],
        ["password/step4"] = ["Node_10_24_10_10"],
        ["password/step5"] = ["Node_10_24_10_10"],
        ["password/step6"] = ["Node_10_24_0_2", "Node_10_24_10_10"],
    };

    public static bool HasProblem(string name, string peer) => WithoutPassword.TryGetValue(name, out var peers) && peers.Contains(peer);

    public static PeerSettings Expect(string name, PeerSettings golden) => golden;

    public static bool Allow(string name, Probe probe, Expectation expectation, ProbeAnswer? answer) => false;
}
