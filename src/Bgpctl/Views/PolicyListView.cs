using System.Globalization;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl policy list</c>, <c>show</c> and <c>endpoints</c>: in the order in which packets are asked.</summary>
internal static class PolicyListView
{
    /// <summary>A row for each direction, each with all that names the policy, for grep.</summary>
    public static Page Of(PolicyListAnswer list) => new(new Section(
        null,
        new Grid(
            [
                new("Tier"), new("Order", true), new("Policy"), new("Kind"), new("For"), new("Here", true), new("Allowed", true),
                new("Denied", true), new("State"),
            ],
            [.. list.Policies.SelectMany(policy => policy.Directions.Select(direction => Row(policy, direction)))]),
        [
            .. list.Policies.Count == 0 ? ["no policies"] : Array.Empty<Cell>(),
            .. list.Policies.Where(one => one.Refused != null).Select(one => new Cell(
                $"{one.Kind} {Name(one)}: a newer version is refused, its last good one is in force: {one.Refused}", Tone.Bad)),
            .. (list.Tried ?? []).Select(one => new Cell($"{one.Object}: {one.State} ({one.Reason})", Tone.Faint)),
            .. Uncounted(list.Uncounted),
        ]));

    private static Cell[] Uncounted(string? why) =>
        why == null ? [] : [new Cell($"what was counted is not known: the kernel says {why}", Tone.Bad)];

    private static Cell[] Row(PolicySummaryAnswer policy, PolicyDirectionAnswer direction) =>
    [
        policy.Tier, Order(policy.Order), Name(policy), policy.Kind, direction.Direction, Words.Number(policy.Endpoints),
        Count(direction.Allowed), Count(direction.Denied), State(policy),
    ];

    private static string Name(PolicySummaryAnswer policy) => policy.Namespace == null ? policy.Name : $"{policy.Namespace}/{policy.Name}";

    private static string Order(double? order) => order is { } number ? number.ToString(CultureInfo.InvariantCulture) : "-";

    private static string Count(PacketCountAnswer? count) =>
        count == null ? "-" : $"{count.Packets.ToString(CultureInfo.InvariantCulture)} ({Words.Octets((long)count.Bytes)})";

    private static Cell State(PolicySummaryAnswer policy) => policy.State switch
    {
        "enforced" => new(policy.State, Tone.Good),
        "closed" => new($"closed: {policy.Reason}", Tone.Bad),
        _ => new(policy.Reason == null ? policy.State : $"{policy.State} ({policy.Reason})", Tone.Faint),
    };

    public static Page Of(PolicyDetailsAnswer details) => new([
        .. details.Policies.SelectMany(Sections),
        .. details.Uncounted == null ? Array.Empty<Section>() : [new Section(null, null, Uncounted(details.Uncounted))],
    ]);

    private static IEnumerable<Section> Sections(PolicyDetailAnswer of)
    {
        var policy = of.Summary;
        yield return new(new Cell($"{policy.Kind} {Name(policy)}"), Grid.Facts(
            ("state", State(policy)),
            ("refused", policy.Refused is { } why ? new Cell($"a newer version, so that this is the last good one: {why}", Tone.Bad) : ""),
            ("tier", $"{policy.Tier} (order {Order(of.TierOrder)}): what its policies do not decide is "
                + (of.TierDenies ? "denied" : "left to the next tier")),
            ("order", policy.Order is { } ? Order(policy.Order) : "none: behind all that have one"),
            ("asked", of.Place is { } place ? $"as number {place} of {of.InTier} in its tier" : ""),
            ("applies", string.Join(", ", of.Applies)),
            ("selector", of.Selector),
            ("selects here", of.Selected.Count == 0 ? "no endpoint" : string.Join(", ", of.Selected))));
        foreach (var direction in policy.Directions)
            yield return new(
                new Cell($"{direction.Direction}: {Count(direction.Allowed)} allowed, {Count(direction.Denied)} denied"),
                new Grid(
                    [new("Rule", true), new("Action"), new("Matches")],
                    [
                        .. of.Rules.Where(rule => rule.Direction == direction.Direction)
                            .Select(rule => (Cell[])[Words.Number(rule.Rule), Action(rule.Action), rule.Matches]),
                    ]),
                [.. of.Rules.Any(rule => rule.Direction == direction.Direction) ? Array.Empty<Cell>() : ["no rules"]]);
    }

    private static Cell Action(string action) => new(action, action switch { "Allow" => Tone.Good, "Deny" => Tone.Bad, _ => Tone.Plain });

    /// <param name="isOne">It was asked for by its name, and is shown as a whole.</param>
    public static Page Of(IReadOnlyList<PolicyEndpointAnswer> endpoints, bool isOne) => isOne ? new([.. endpoints.SelectMany(Sections)])
        : new(new Section(
            null,
            new Grid(
                [new("Endpoint"), new("Interface"), new("Addresses"), new("Program"), new("Policies in order"), new("Profiles")],
                [
                    .. endpoints.SelectMany(endpoint => endpoint.Name == null ? [[null, endpoint.Interface, null, null, null, null]]
                        : endpoint.Programs.Select(program => Row(endpoint, program))),
                ]),
            [
                .. endpoints.Count == 0 ? ["no endpoints on this node"] : Array.Empty<Cell>(),
                .. endpoints.Where(one => one.Problem != null).Select(one => new Cell($"{Called(one)}: {one.Problem}", Tone.Bad)),
            ]));

    private static string Called(PolicyEndpointAnswer endpoint) => endpoint.Name ?? endpoint.Interface;

    private static Cell[] Row(PolicyEndpointAnswer endpoint, EndpointProgramAnswer program) =>
    [
        endpoint.Name, endpoint.Interface, string.Join(" ", endpoint.Addresses), program.Program,
        string.Join(", ", program.Tiers.SelectMany(tier => tier.Policies).Select(WithoutKind)), string.Join(", ", endpoint.Profiles),
    ];

    private static string WithoutKind(string id) => id[(id.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private static IEnumerable<Section> Sections(PolicyEndpointAnswer endpoint)
    {
        if (endpoint.Problem is { } problem) yield return new(null, null, new Cell($"{Called(endpoint)}: {problem}", Tone.Bad));
        if (endpoint.Name == null) yield break;
        yield return new(new Cell($"{endpoint.Kind} {endpoint.Name}"), Grid.Facts(
            ("interface", endpoint.Interface == "*" ? "* (all that have no host endpoint of their own)" : endpoint.Interface),
            ("addresses", string.Join(", ", endpoint.Addresses)),
            ("labels", string.Join(", ", endpoint.Labels.Select(label => $"{label.Key}={label.Value}"))),
            ("profiles", string.Join(", ", endpoint.Profiles))));
        foreach (var program in endpoint.Programs)
            yield return new(
                new Cell(program.Program),
                new Grid(
                    [new("Tier"), new("Policies in order"), new("Then")],
                    [
                        .. program.Tiers.Select(tier => (Cell[])
                            [tier.Tier, string.Join(", ", tier.Policies), tier.Denies ? "denied" : "the next tier"]),
                    ]),
                new Cell($"{(program.Tiers.Count == 0 ? "no policy; " : "then ")}{program.Otherwise}", Tone.Faint));
    }
}
