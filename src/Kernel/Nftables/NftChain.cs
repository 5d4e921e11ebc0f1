using System.Collections.Immutable;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>The places in a packet's way where a chain may stand (NF_INET_…).</summary>
public enum NftHookPoint : uint { Prerouting, Input, Forward, Output, Postrouting }

/// <summary>What makes a chain a base chain.</summary>
/// <param name="Type">filter, nat or route.</param>
public sealed record NftHook(string Type, NftHookPoint Point, int Priority);

public sealed record NftChain(string Name, NftHook? Hook, ImmutableArray<NftRule> Rules)
{
    public string? Comment { get; init; }

    /// <summary>
    /// What it has in place of its rules where the kernel refuses one of them: the first of these of which it refuses nothing, else the
    /// last without what is refused. None: its own rules, without what is refused.
    /// </summary>
    public ImmutableArray<ImmutableArray<NftRule>> Instead { get; init; } = [];

    /// <summary>What cannot be changed while the chain lives.</summary>
    public bool SameKind(NftChain other) => Name == other.Name && Hook == other.Hook && Comment == other.Comment;

    /// <summary>With the same rules.</summary>
    public bool Same(NftChain other) => SameKind(other) && Rules.AsSpan().SequenceEqual(other.Rules.AsSpan())
        && Instead.Length == other.Instead.Length
        && Instead.Zip(other.Instead).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second.AsSpan()));

    /// <summary>Which of its rules it has while the kernel refuses some, these among them.</summary>
    internal ImmutableArray<NftRule> Standing(Predicate<NftPart>? refused)
    {
        var standing = Rules;
        for (var next = 0; next < Instead.Length && standing.Any(rule => IsRefused(rule, refused)); next++) standing = Instead[next];
        return standing;
    }

    /// <summary>The same without those that the kernel refuses.</summary>
    internal ImmutableArray<NftRule> Without(Predicate<NftPart>? refused) =>
        refused == null ? Rules : [.. Standing(refused).Where(rule => !IsRefused(rule, refused))];

    private bool IsRefused(NftRule rule, Predicate<NftPart>? refused) => refused != null && refused(new NftPart.Rule(Name, rule));
}

/// <summary>A rule: matches, then acts, evaluated from left to right.</summary>
public sealed record NftRule(ImmutableArray<NftStatement> Statements, string? Comment = null)
{
    public NftRule(params ReadOnlySpan<NftStatement> statements) : this([.. statements], null) { }

    public bool Equals(NftRule? other) =>
        other != null && Comment == other.Comment && Statements.AsSpan().SequenceEqual(other.Statements.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Comment, Statements.Length);

    /// <summary>About as nft lists it.</summary>
    public override string ToString() => string.Join(' ', Statements) + (Comment == null ? "" : $" comment \"{Comment}\"");
}

/// <summary>One step of a rule; encodes itself, and can be asked what the kernel will make of a packet by these octets.</summary>
public abstract record NftStatement
{
    internal abstract void Encode(Expressions into);

    /// <summary>Says so and does nothing; what it cannot know of the packet it says, too.</summary>
    internal abstract NftAnswer Ask(PassingPacket packet);

    /// <summary>It does something by an answer that may be unknown: then what it depends on has to be settled at once.</summary>
    internal virtual bool Decides => false;

    /// <summary>The set or map that it asks, of two the last.</summary>
    internal virtual string? SetAsked => null;

    /// <summary>All that it asks.</summary>
    internal virtual IEnumerable<string> SetsAsked => SetAsked is { } set ? [set] : [];

    /// <summary>The chain that it leads to.</summary>
    internal virtual string? ChainMeant => null;
}
