using System.Text;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Sources.Tests.Yaml;

/// <summary>A list is read item by item, and says what it says as a whole.</summary>
public class YamlListTests
{
    private static YamlFile Read(string text, YamlFile? before = null) =>
        YamlFile.Read(new(0, "all.yaml"), Encoding.UTF8.GetBytes(text), Concern.Anybody, before);

    private static string Item(string name, int last) =>
        $"- apiVersion: projectcalico.org/v3\n  kind: BGPPeer\n  metadata: {{ name: {name} }}\n"
        + $"  spec:\n    peerIP: 192.0.2.{last}\n    asNumber: 65001\n";

    private const string Head = "apiVersion: v1\nkind: List\nitems:\n";

    [Fact]
    public void Of_a_list_in_which_an_item_is_edited_the_others_are_not_read_again()
    {
        var before = Read(Head + Item("a", 1) + Item("b", 2) + Item("c", 3));
        var after = Read(Head + Item("a", 1) + "# moved\n" + Item("b", 22) + Item("c", 3), before);
        var (was, now) = (before.Content.Definitions, after.Content.Definitions);
        Assert.Equal([4, 10, 16], was.Select(one => one.Line));
        Assert.Equal([4, 11, 17], now.Select(one => one.Line));
        Assert.Same(was[2].Value, now[2].Value);
        Assert.NotEqual(was[1].Value, now[1].Value);
    }

    [Theory]
    [InlineData(Head + "#\n\n- {apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: a}, spec: {node: a}}\n", true)]
    [InlineData("---\r\napiVersion: v1\r\nkind: List\r\nitems:\r\n- apiVersion: v1\r\n  kind: Namespace\r\n"
        + "  metadata: { name: a }\r\n", true)]
    [InlineData("apiVersion: v1\nitems:\n  - apiVersion: v1\n    kind: Namespace\n    metadata:\n      name: a\n  -\n    apiVersion: v1\n"
        + "    kind: Namespace\n    metadata:\n      name: b\nkind: List\nmetadata: {}\n", true)]
    [InlineData("apiVersion: projectcalico.org/v3\nkind: BGPPeerList\nitems:\n- metadata: { name: a }\n  spec: { asNumber: 1 }\n"
        + "- 7\n", true)]
    [InlineData(Head + "- apiVersion: v2\n  kind: Namespace\n- apiVersion: v2\n  kind: Namespace\n", true)]
    [InlineData(Head + "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n  data:\n    x: |\n      - apiVersion: v1\n\n"
        + "      #\n", true)]
    // Read as a whole, because no piece can be: an alias, quotes and brackets over two items; no kind; items twice; a tab; a slip.
    [InlineData(Head + "- &a\n  apiVersion: v1\n  kind: Namespace\n  metadata: { name: a }\n- *a\n", false)]
    [InlineData(Head + "- apiVersion: v1\n  kind: \"Name\n- space\"\n", false)]
    [InlineData(Head + "- {apiVersion: v1,\n- kind: Namespace}\n", false)]
    [InlineData("apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: { name: a }\n", false)]
    [InlineData(Head + "- apiVersion: v1\nitems:\n- apiVersion: v1\n", false)]
    [InlineData(Head + "- apiVersion: v1\n\tkind: Namespace\n", false)]
    [InlineData(Head + "- apiVersion: v1\n  kind: Namespace\n  metadata: { name: a }\n   spec: x\n", false)]
    [InlineData(Head + "  - apiVersion: v1\n - apiVersion: v1\n", false)]
    [InlineData("apiVersion: v1\nkind: List\nitems: []\n", false)]
    [InlineData("apiVersion: v1\nkind: List\nmetadata: \"\nitems:\n- a\n\"\n", false)]
    public void A_list_says_the_same_as_read_in_one(string text, bool isCut)
    {
        var chunk = Assert.Single(YamlDocuments.Split(text));
        var whole = YamlDocuments.Read(chunk, "all.yaml", Concern.Anybody, out var isWhole);
        var read = Read(text).Content;
        Assert.Equal(whole.Definitions.Select(one => (one.Id, one.Line, one.Size, one.Value == null)),
            read.Definitions.Select(one => (one.Id, one.Line, one.Size, one.Value == null)));
        Assert.Equal(whole.Problems.ToArray(), read.Problems.ToArray());
        Assert.Equal(isWhole, read.Whole);
        var items = YamlList.Split(chunk)?.Items ?? [];
        var left = YamlDocuments.MostValues;
        Assert.Equal(isCut, items.Count > 0 && items.All(item =>
            YamlDocuments.ReadItem(item, YamlList.Split(chunk)!.Listed, "", Concern.Anybody, ref left) != null));
    }

    /// <summary>What has its price in one document has it in its pieces, too.</summary>
    [Fact]
    public void All_items_together_have_as_many_values_as_one_document_may_have()
    {
        var bomb = string.Concat(Enumerable.Range(0, 9).Select(i =>
            $"  a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat(i == 0 ? "x" : $"*a{i - 1}", 6))}]\n"));
        string Items(int count) => Head + string.Concat(Enumerable.Repeat($"-\n{bomb}", count));
        Assert.True(Read(Items(1)).Content.Whole);
        var read = Read(Items(3)).Content;
        Assert.False(read.Whole);
        Assert.Contains("expected at most 20000000 values", Assert.Single(read.Problems).Reason, StringComparison.Ordinal);
    }
}
