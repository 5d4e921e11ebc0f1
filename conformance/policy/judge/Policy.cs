namespace Calico.Bgp.Conformance.Policy;

internal enum Act { Allow, Deny, Pass, Log }

internal sealed record Rule(Act Act, Func<Packet, bool> Matches);

/// <summary>When a rule of a host endpoint's policy is asked (2.5).</summary>
internal enum Hook { Normal, Untracked, PreDnat }

/// <summary>Whatever its kind: to whom it applies, and its rules.</summary>
internal sealed record Policy(string Kind, string Namespace, string Name)
{
    public string Tier { get; init; } = "default";
    public double Order { get; init; } = double.PositiveInfinity;
    public required Func<Item, bool> AppliesTo { get; init; }
    public Hook Hook { get; init; }
    public bool OnForward { get; init; }

    /// <summary>Null: it says nothing of that direction.</summary>
    public IReadOnlyList<Rule>? Ingress { get; init; }

    /// <inheritdoc cref="Ingress"/>
    public IReadOnlyList<Rule>? Egress { get; init; }

    /// <summary>What decides between policies of the same order (2.4.1).</summary>
    public string Key => $"{Name}/{Namespace}/{Kind}";

    public override string ToString() => $"{Kind} {(Namespace == "" ? "" : Namespace + "/")}{Name}";
}

internal sealed record Tier(string Name, double Order, bool Denies);
