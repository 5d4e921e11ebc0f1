using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Session;

/// <summary>
/// Settings for neighbours that are known by their range alone (BIRD's <c>neighbor range</c>, FRR's <c>bgp listen range</c>): each that
/// calls gets a session of its own, made after these. We call none of them, for nobody knows which addresses there are.
/// </summary>
/// <param name="Limit">Sessions of this range at most; who calls beyond is hung up on.</param>
/// <param name="Settings">Of each session but its name and its neighbour: its name here is the first word of theirs.</param>
public sealed record PeerTemplate(Prefix Range, int Limit, SessionSettings Settings)
{
    public const int DefaultLimit = 256;

    private static readonly TimeSpan LeastPatience = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A session that has been down for so long goes away: three hold times, and a minute at least. Until then it is shown with its last
    /// error, and a neighbour that comes and goes is held back as any other is.
    /// </summary>
    public TimeSpan Patience => 3 * Settings.HoldTime is var three && three > LeastPatience ? three : LeastPatience;

    public SessionSettings For(Address neighbour) => Settings with { Name = NameOf(neighbour), PeerAddress = neighbour, Passive = true };

    /// <summary><c>dyn_10_0_0_7</c>: stays with the neighbour however often it goes and comes.</summary>
    public string NameOf(Address neighbour) => $"{Settings.Name}_{Word(neighbour)}";

    /// <summary>An address as part of a peer's name.</summary>
    public static string Word(Address address) => address.ToString().Replace('.', '_').Replace(':', '_');

    /// <summary>
    /// What must have signed a call of the range's. Of one link's neighbour nobody knows the address before it is found, and the same
    /// addresses are on every link.
    /// </summary>
    public string? Key => Settings.Interface == null ? Settings.Password : null;

    /// <summary>The one whose range holds the address most closely; null: none does.</summary>
    /// <param name="scope">Of a link-local address: the number of its link.</param>
    public static PeerTemplate? For(ImmutableArray<PeerTemplate> templates, Address neighbour, long scope)
    {
        PeerTemplate? closest = null;
        foreach (var template in templates)
            if (template.Holds(neighbour, scope) && (closest == null || template.Range.Length > closest.Range.Length)) closest = template;
        return closest;
    }

    private bool Holds(Address neighbour, long scope) =>
        Range.Contains(neighbour) && (Settings.Interface == null || TcpOptions.ScopeOf(Settings.Interface) == scope);
}
