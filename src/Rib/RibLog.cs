using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Rib;

/// <summary>Everything that this room can say. Event ids 3000 to 3999.</summary>
internal static partial class RibLog
{
    [LoggerMessage(3000, LogLevel.Warning,
        "{Count} routes are withheld from peers, the last {Prefix}: their attributes do not fit a message of {Octets} octets")]
    public static partial void AttributesTooLong(this ILogger log, int count, Prefix prefix, int octets);

    [LoggerMessage(3001, LogLevel.Error,
        "{Count} of our routes lie over each other's next hops and did not come to rest (a mistake in this program): {Prefixes}, …")]
    public static partial void WaysUnsettled(this ILogger log, int count, string prefixes);

    [LoggerMessage(3002, LogLevel.Warning, "{Peer}: {Prefix} is {Verdict}: {Rule} ({Unsaid} more since the last such line)")]
    public static partial void RuleTells(this ILogger log, string peer, Prefix prefix, string verdict, string rule, int unsaid);
}
