using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Configuration;

/// <summary>A community, or a pattern of them, as one word of the file.</summary>
internal static class CommunityWords
{
    public static ListOf<CommunityPattern> Read(DocumentNode node, CommunityKind kind, string name, Problems problems)
    {
        if (node is ScalarNode { IsNull: false } scalar && CommunityPattern.TryParse(kind, scalar.Text, out var patterns)) return patterns;
        problems.Error(node, $"expected {Expected(kind)} for {name}, got {node.Kind}{Guess(node, kind)}");
        return [];
    }

    private static string Expected(CommunityKind kind) => kind switch
    {
        CommunityKind.Standard => "a community such as 65001:100, 65001:* or no-export",
        CommunityKind.Large => "a large community such as 65001:1:2 or 65001:*:*",
        _ => "an extended community such as rt:65001:100, ro:192.0.2.1:* or generic:0x43000000:0x1",
    };

    private static string Guess(DocumentNode node, CommunityKind kind) =>
        kind == CommunityKind.Standard ? Spelling.Guess(node, CommunityPattern.WellKnownNames) : "";
}
