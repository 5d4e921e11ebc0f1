using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/nat</c>: what is translated on its way out, by whom, and why.</summary>
public sealed record NatAnswer
{
    public required bool Enabled { get; init; }
    /// <summary>The resources are known; before that the table of an earlier run is left as it is.</summary>
    public required bool Ready { get; init; }
    public required IReadOnlyList<NatPoolAnswer> Pools { get; init; }
    public required IReadOnlyList<NatPeerAnswer> Peers { get; init; }
    public required NatTableAnswer Table { get; init; }
    /// <summary>Options that the kernel is built without.</summary>
    public required IReadOnlyList<string> Missing { get; init; }
    public required IReadOnlyList<NatProblemAnswer> Problems { get; init; }
    public required long ConnectionsCut { get; init; }
    public required string? Problem { get; init; }
}

/// <param name="Upstream">What the pool asks for: prefer, require or ignore; null: nothing.</param>
/// <param name="Applies">no NAT, masquerade, upstream NAT, or upstream NAT only.</param>
/// <param name="ExceptTo">Destinations that the network translates for.</param>
public sealed record NatPoolAnswer(
    string Name, string Cidr, bool NatOutgoing, bool Disabled, string? Upstream, string Applies, string Why,
    IReadOnlyList<string> ExceptTo);

/// <param name="Translates">Its infrastructure does.</param>
public sealed record NatPeerAnswer(string Name, bool Established, bool Translates);

public sealed record NatTableAnswer(long Transactions, long Readings, long Repairs);

public sealed record NatProblemAnswer(string Part, int Errno, string Words, DateTimeOffset Since, int Attempts);

/// <summary><c>/v1/nat/explain</c>: what becomes of a packet.</summary>
public sealed record NatExplanationAnswer
{
    /// <summary>Its source is, by this node; null: it depends on facts that the question did not say.</summary>
    public required bool? Translated { get; init; }
    /// <summary>What it becomes, in words, here or at the gateway that it leaves by; null: its source stays.</summary>
    public required string? To { get; init; }
    public required IReadOnlyList<string> Steps { get; init; }
    /// <summary>What the source becomes; null: it stays, or the kernel chooses among several.</summary>
    public required string? Address { get; init; }
    /// <summary>Where services send it, in words; left out where it goes to where it was sent.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Destination { get; init; }
    /// <summary>It goes nowhere; left out where it goes on.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Dropped { get; init; }
    /// <summary>That the packet leaves by.</summary>
    public required string? Interface { get; init; }
    /// <summary>The rule that decided, in nft's words.</summary>
    public required string? Rule { get; init; }
    public required IReadOnlyList<string> DependsOn { get; init; }
    /// <summary>Every rule that it meets.</summary>
    public required IReadOnlyList<string> Trail { get; init; }
}
