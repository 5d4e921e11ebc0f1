using Calico.Bgp.Dataplane.Dns;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/dns/cache</c>: what endpoints with rules by names have been answered, by endpoint and name.</summary>
/// <param name="Problem">Why nothing is learned; null: it is, where rules have names.</param>
public sealed record DnsCacheAnswer(bool InUse, string? Problem, IReadOnlyList<DnsNameAnswer> Names)
{
    /// <summary>Why nothing waits that should; null: it does.</summary>
    public string? Unheld { get; init; }

    public static DnsCacheAnswer Of(DnsView view, IEnumerable<DnsCacheEntry> entries) =>
        new(view.IsInUse, view.Problem, [.. entries.Select(DnsNameAnswer.Of)]) { Unheld = view.Unheld };
}

/// <summary>A name.</summary>
/// <param name="Endpoint">NAMESPACE/POD, or an interface; empty: this host's own, or with isolation by node anybody's.</param>
/// <param name="Allowed">Some rule goes by it.</param>
public sealed record DnsNameAnswer(
    string Endpoint, string Name, bool Allowed, IReadOnlyList<DnsTargetAnswer> Aliases, IReadOnlyList<DnsTargetAnswer> Addresses)
{
    internal static DnsNameAnswer Of(DnsCacheEntry entry) => new(
        entry.Endpoint, entry.Name, entry.IsAllowed, [.. entry.Aliases.Select(DnsTargetAnswer.Of)],
        [.. entry.Addresses.Select(DnsTargetAnswer.Of)]);
}

/// <summary>What it leads to.</summary>
/// <param name="Ttl">As the server said it.</param>
/// <param name="SecondsLeft">How long it counts yet.</param>
public sealed record DnsTargetAnswer(string To, string Server, uint Ttl, long SecondsLeft)
{
    internal static DnsTargetAnswer Of(DnsCacheTarget target) => new(target.To, target.Server, target.Ttl, target.Seconds);
}

/// <summary>The events <c>dns</c>: a response that was heard.</summary>
/// <param name="Number">Counts what is told: where one is missing, more came than could be kept.</param>
/// <param name="Endpoint">NAMESPACE/POD, or an interface; empty: this host.</param>
/// <param name="Type">A, AAAA, or its number.</param>
/// <param name="Result">opened, open, unprogrammed, nothing, unasked or damaged.</param>
/// <param name="HeldMicroseconds">How long it waited; 0: it did not.</param>
public sealed record DnsLookupAnswer(
    long Number, DateTimeOffset At, string Endpoint, string Name, string Type, string Server, string Result, long HeldMicroseconds,
    IReadOnlyList<string> Addresses, IReadOnlyList<DnsOpenedAnswer> Opened)
{
    public static DnsLookupAnswer Of(DnsLookup lookup) => new(
        lookup.Number, lookup.At, lookup.Endpoint, lookup.Name, TypeOf(lookup.Type), lookup.Server, lookup.Result switch
        {
            DnsResult.Opened => "opened",
            DnsResult.Open => "open",
            DnsResult.Unprogrammed => "unprogrammed",
            DnsResult.Nothing => "nothing",
            DnsResult.Unasked => "unasked",
            _ => "damaged",
        }, (long)lookup.Held.TotalMicroseconds, lookup.Addresses,
        [.. lookup.Opened.Select(one => new DnsOpenedAnswer(one.Address, one.By, one.Seconds))]);

    private static string TypeOf(ushort type) => type switch
    {
        1 => "A",
        28 => "AAAA",
        _ => type.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}

/// <summary>What is open by it.</summary>
/// <param name="By">The names that the rule has, separated by spaces.</param>
public sealed record DnsOpenedAnswer(string Address, string By, long SecondsLeft);
