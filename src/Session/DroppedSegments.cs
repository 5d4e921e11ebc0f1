using System.Globalization;

namespace Calico.Bgp.Session;

/// <summary>
/// What the kernel dropped in this network namespace for TCP MD5 (RFC 2385) and for the TTL that TTL security demands (RFC 5082), as
/// /proc/net/netstat counts it. A segment with a wrong signature, or without the one that is asked for, or from too far away, is dropped
/// without a word to either side: these counters are the only sign of a wrong password, or of a neighbour that sends with TTL 64.
/// They are the namespace's, so they say that some neighbour's segments were dropped, not whose. What the neighbour's kernel drops of ours
/// is counted there, and nobody can know it here.
/// </summary>
internal readonly record struct DroppedSegments(long NotFound, long Unexpected, long Failure, long TooFar)
{
    private const string Counters = "/proc/net/netstat";

    /// <summary>Null: this kernel has no such counters.</summary>
    public static DroppedSegments? Read()
    {
        try
        {
            return Parse(File.ReadAllLines(Counters));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Each group is two lines that begin alike: the names, and their values.</summary>
    public static DroppedSegments? Parse(IReadOnlyList<string> lines)
    {
        for (var at = 0; at + 1 < lines.Count; at += 2)
        {
            var (names, values) = (lines[at].Split(' '), lines[at + 1].Split(' '));
            if (names[0] == "TcpExt:" && names.Length == values.Length)
                return new(Value("TCPMD5NotFound"), Value("TCPMD5Unexpected"), Value("TCPMD5Failure"), Value("TCPMinTTLDrop"));

            long Value(string name) => Array.IndexOf(names, name) is > 0 and var index
                && long.TryParse(values[index], NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
        }
        return null;
    }

    /// <summary>What was dropped since then, in words; null: nothing.</summary>
    /// <param name="before">Then.</param>
    /// <param name="leastHops">The TTL that the session demands; 0: any, and what other sessions demand is none of its business.</param>
    public string? Since(DroppedSegments before, byte leastHops)
    {
        var drops = string.Join(", ", new[]
        {
            Drop(Failure - before.Failure, "with another password's signature", "TCPMD5Failure"),
            Drop(NotFound - before.NotFound, "unsigned, though a password is set here", "TCPMD5NotFound"),
            Drop(Unexpected - before.Unexpected, "signed, though no password is set here", "TCPMD5Unexpected"),
            // A kernel refuses with TTL 64, whatever the daemon that does not listen there would send with.
            leastHops > 0 ? Drop(
                TooFar - before.TooFar,
                $"with a TTL below the {leastHops} that ttlSecurity demands, or refusals where nobody listens", "TCPMinTTLDrop") : null,
        }.OfType<string>());
        return drops.Length == 0 ? null : $"meanwhile the kernel dropped segments of some neighbour: {drops}";
    }

    private static string? Drop(long count, string what, string name) => count > 0 ? $"{count} {what} ({name})" : null;
}
