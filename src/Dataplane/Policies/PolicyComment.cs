using System.Globalization;
using System.Text;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// What the comment of a rule says of where it comes from: <c>TIER KIND NAMESPACE/NAME ingress rule 3</c>, and behind the policies of a
/// tier <c>TIER end of tier</c>. Explanations and counters read nothing else.
/// </summary>
/// <param name="Tier"><see cref="NoTier"/>: of a profile.</param>
/// <param name="Kind">Empty: the end of the tier.</param>
/// <param name="Name">The object's, with its namespace where it has one.</param>
/// <param name="Direction">As the object says it.</param>
/// <param name="Rule">Its index among those of the direction, from 0; null: none of them, the policy is closed.</param>
public sealed record PolicyComment(string Tier, string Kind = "", string Name = "", PolicyTypes Direction = default, int? Rule = null)
{
    public const string NoTier = "-";

    /// <summary>What else stands in the way of packets, in its own words.</summary>
    public const string NoProfile = "no profile allows it", UnknownInterface = "no endpoint is known here",
        Spoofed = "its source is not its own", ToHost = "workloads may not reach the host (defaultEndpointToHostAction)",
        Refused = "closed: the kernel refuses a rule", Failsafe = "failsafe port", Overlay = "a tunnel between nodes",
        Stranger = "in a tunnel of the nodes' from nobody that is one";

    private const string End = " end of tier", Closed = "closed", RuleWord = "rule";

    /// <summary>User data of a rule has 256 octets (NFT_USERDATA_MAXLEN), and a comment a header and an end of its own.</summary>
    private const int MostOctets = 250;

    public bool IsEndOfTier => Kind.Length == 0;

    public override string ToString() => Within(MostOctets);

    /// <summary>The same in less room: the prefix of a rule that logs has half of it (<see cref="LogPrefix"/>).</summary>
    public string Within(int octets)
    {
        if (IsEndOfTier) return Cut(Tier, octets - End.Length) + End;
        var direction = Direction == PolicyTypes.Ingress ? "ingress" : "egress";
        var rule = Rule is { } index ? $"{RuleWord} {index.ToString(CultureInfo.InvariantCulture)}" : Closed;
        var left = octets - Encoding.UTF8.GetByteCount($" {Kind}  {direction} {rule}");
        var tier = Cut(Tier, left / 2);
        return $"{tier} {Kind} {Cut(Name, left - Encoding.UTF8.GetByteCount(tier))} {direction} {rule}";
    }

    /// <summary>Names are of ASCII; one that finds no room keeps its beginning and is told apart by a hash.</summary>
    private static string Cut(string name, int room)
    {
        if (Encoding.UTF8.GetByteCount(name) <= room) return name;
        var mark = "~" + ContentHash.Of(name);
        return string.Concat(name.Where(char.IsAscii).Take(room - mark.Length)) + mark;
    }

    /// <summary>It is of the object with this name, which may have found no room in it.</summary>
    public bool IsOf(string name) => name == Name || (Name.Contains('~', StringComparison.Ordinal) && Cut(name, Name.Length) == Name);

    /// <summary>Null: the comment is no policy's.</summary>
    public static PolicyComment? Parse(string? comment)
    {
        if (comment == null) return null;
        if (comment.EndsWith(End, StringComparison.Ordinal) && comment.IndexOf(' ') == comment.Length - End.Length)
            return new(comment[..^End.Length]);
        var words = comment.Split(' ');
        if (words.Length is not (5 or 6)) return null;
        var direction = words[3] switch { "ingress" => PolicyTypes.Ingress, "egress" => PolicyTypes.Egress, _ => default };
        if (direction == default) return null;
        if (words is [_, _, _, _, Closed]) return new(words[0], words[1], words[2], direction);
        return words is [_, _, _, _, RuleWord, var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture,
            out var rule)
            ? new(words[0], words[1], words[2], direction, rule) : null;
    }
}
