using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/kernel</c>: what of our routes the kernel holds, and what it would not take.</summary>
public sealed record KernelAnswer(
    KernelCountsAnswer Counts, IReadOnlyList<RefusalAnswer> Refusals, IReadOnlyList<InterfaceAnswer> Interfaces)
{
    /// <summary>Rules, next hops and links that the kernel would not take; absent where there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ObjectRefusalAnswer>? RefusedObjects { get; init; }

    /// <summary>Hops of others that IPv6 has put into routes of ours; absent where there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<BesideAnswer>? Beside { get; init; }
}

/// <param name="Protocol">Whose they are; null: the kernel has not said.</param>
public sealed record BesideAnswer(string Prefix, TargetAnswer Target, string? Protocol);

public sealed record KernelCountsAnswer(int Wanted, int Installed, int Pending, int Refused, long Writes, long Failures, long Resyncs);

public sealed record RefusalAnswer(string Prefix, TargetAnswer? Target, int Errno, string Words, DateTimeOffset Since, int Attempts);

/// <param name="Object">As <c>ip</c> says it.</param>
/// <param name="Owner">Who wants it.</param>
public sealed record ObjectRefusalAnswer(string Object, string Owner, int Errno, string Words, DateTimeOffset Since, int Attempts);

public sealed record InterfaceAnswer(
    int Index, string Name, bool Up, bool Carrier, int Mtu, string? Mac, IReadOnlyList<string> Addresses);

public sealed record TargetAnswer(string Type, IReadOnlyList<HopAnswer> NextHops, uint Metric, uint Table);

/// <summary>One of those of <c>/v1/kernel/routes</c>.</summary>
public sealed record OwnRouteAnswer(string Prefix, TargetAnswer? Wanted, TargetAnswer? Installed, string? Problem);
