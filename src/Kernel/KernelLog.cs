using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Kernel;

/// <summary>Everything this room can say; event ids 6000 to 6099.</summary>
internal static partial class KernelLog
{
    [LoggerMessage(6000, LogLevel.Information,
        "kernel read: {Links} links, {Foreign} foreign routes, {Own} own routes, in {Milliseconds} ms")]
    public static partial void Read(ILogger log, int links, int foreign, int own, long milliseconds);

    [LoggerMessage(6001, LogLevel.Warning, "the kernel dropped notifications: reading everything anew")]
    public static partial void Overrun(ILogger log);

    [LoggerMessage(6002, LogLevel.Warning, "the kernel's {Table} table could not be read: {Words}")]
    public static partial void DumpRefused(ILogger log, string table, string words);

    [LoggerMessage(6003, LogLevel.Warning, "the kernel refused {Prefix} {Target}: {Words} ({Refused} refused at the moment)")]
    public static partial void Refused(ILogger log, Prefix prefix, string target, string words, int refused);

    [LoggerMessage(6004, LogLevel.Warning, "answers to a batch of {Count} route changes were lost: reading the routes anew")]
    public static partial void AnswersLost(ILogger log, int count);

    [LoggerMessage(6005, LogLevel.Debug, "own route {Prefix} was changed or removed by someone else")]
    public static partial void Disturbed(ILogger log, Prefix prefix);

    [LoggerMessage(6014, LogLevel.Warning,
        "somebody else's hops are in our route to {Prefix}: {Hops}; they stay, and share its packets with ours")]
    public static partial void Beside(ILogger log, Prefix prefix, string hops);

    [LoggerMessage(6006, LogLevel.Information, "{Count} own routes of an earlier run are not wanted any more: removing them")]
    public static partial void Sweeping(ILogger log, int count);

    [LoggerMessage(6009, LogLevel.Debug, "no socket filter: notifications of our own writes are skipped one by one")]
    public static partial void NoFilter(ILogger log);

    [LoggerMessage(6010, LogLevel.Warning, "the kernel refused {Part}: {Words} ({Advice})")]
    public static partial void NftRefused(ILogger log, string part, string words, string advice);

    [LoggerMessage(6011, LogLevel.Warning, "this kernel is built without {Option}: what needs it will be refused, the rest works")]
    public static partial void NftMissing(ILogger log, string option);

    [LoggerMessage(6012, LogLevel.Warning, "table inet {Table} was changed by someone else, and has been put right (time {Count})")]
    public static partial void NftRepaired(ILogger log, string table, long count);

    [LoggerMessage(6015, LogLevel.Warning, "{Problem}")]
    public static partial void ObjectUntuned(ILogger log, string problem);

    [LoggerMessage(6013, LogLevel.Warning, "the kernel refused {Object} of {Owner}: {Words}")]
    public static partial void ObjectRefused(ILogger log, string @object, string owner, string words);
}
