// Where the daemon is meant to differ from Calico, and why. Nothing else may.
using Calico.Bgp.Conformance.Bird;

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

    /// <summary>
    /// Calico's static routes of services are blackholes, and single addresses among them reach the node's own table, where they cut off
    /// its clients (reference, section 7: #2457, #9152, #11607). Here they are announced and never installed; blocks stay blackholes.
    /// </summary>
    public static string TypeOf(StaticRoute route) =>
        route.Via != null ? "unicast" : Affinities.IsBlock(route.Prefix) ? "blackhole" : "announced";
}
