using System.Globalization;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Configuration;

/// <summary>What a peer's <c>addPath</c> asks for (RFC 7911).</summary>
/// <param name="Receive">Families in which the neighbour may tell several paths of a prefix.</param>
/// <param name="Send">In which we do.</param>
internal readonly record struct AddPath(FamilySet Receive, FamilySet Send, PathsTold IPv4, PathsTold IPv6)
{
    private static readonly Reading<PathsTold> Which = new("all, equal or best N (best 2, for one)", Parse);

    /// <param name="families">The session's: what is said without naming one holds for each.</param>
    public static AddPath Read(Section peer, FamilySet families)
    {
        var none = new AddPath(FamilySet.None, FamilySet.None, PathsTold.Best, PathsTold.Best);
        if (peer.Child("addPath") is not { } section) return none;
        var receive = section.TryGet("receive", out var node) && node is ScalarNode { Text: "true" or "false" } flag
            ? flag.Text == "true" ? families : FamilySet.None
            : section.Values("receive", Scalars.Family).Aggregate(FamilySet.None, (set, family) => set | family.Bit());
        var said = ReadSend(section, none with { Receive = receive }, families);
        section.Close();
        return said;
    }

    private static AddPath ReadSend(Section section, AddPath said, FamilySet families)
    {
        if (!section.TryGet("send", out var node)) return said;
        switch (node)
        {
            case MappingNode:
                var each = section.Child("send")!;
                foreach (var (family, name) in (ReadOnlySpan<(IpFamily, string)>)[(IpFamily.IPv4, "ipv4"), (IpFamily.IPv6, "ipv6")])
                    if (each.Value(name, Which) is { } which) said = said.Telling(family, which);
                each.Close();
                return said;
            case SequenceNode:
                foreach (var family in section.Values("send", Scalars.Family)) said = said.Telling(family, PathsTold.All);
                return said;
            default:
                if (section.Value("send", Which) is not { } one) return said;
                foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.IPv4, IpFamily.IPv6])
                    if (families.Has(family)) said = said.Telling(family, one);
                return said;
        }
    }

    private AddPath Telling(IpFamily family, PathsTold which)
    {
        var telling = this with { Send = Send | family.Bit() };
        return family == IpFamily.IPv4 ? telling with { IPv4 = which } : telling with { IPv6 = which };
    }

    private static PathsTold? Parse(string text) => text switch
    {
        "all" => PathsTold.All,
        "equal" => PathsTold.Equal,
        ['b', 'e', 's', 't', ' ', .. var count] when
            int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var most) && most > 0 => new(most),
        _ => null,
    };
}
