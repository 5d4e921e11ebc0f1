using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Sources.Tests.Yaml;

/// <summary>One reading of a folder or file.</summary>
public sealed class YamlFilesTests : IDisposable
{
    private readonly Manifests manifests = new();

    public void Dispose() => manifests.Dispose();

    private ResourceSnapshot Load() => YamlFiles.Load(manifests.Path);

    [Fact]
    public void Subfolders_and_all_three_endings_count_and_hidden_files_do_not()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        manifests.Write("sub/deeper/b.yml", Manifests.Peer("b", 2));
        manifests.Write("sub/c.json", """
            { "apiVersion": "projectcalico.org/v3", "kind": "BGPPeer", "metadata": { "name": "c" }, "spec": { "peerIP": "192.0.2.3" } }
            """);
        manifests.Write(".d.yaml", Manifests.Peer("d", 4));
        manifests.Write(".git/e.yaml", Manifests.Peer("e", 5));
        manifests.Write("f.yaml~", Manifests.Peer("f", 6));
        manifests.Write("README.md", "# what is here");
        var snapshot = Load();
        Assert.Equal("a=1 b=2 c=3", Manifests.Peers(snapshot));
        Assert.Empty(snapshot.Problems);
    }

    /// <summary><c>calicoctl get bgppeer a b -o yaml</c> and <c>-o json</c>.</summary>
    [Fact]
    public void A_list_at_the_top_is_its_objects()
    {
        static string Item(string name, int last) => "- " + Manifests.Peer(name, last).TrimEnd().Replace("\n", "\n  ") + "\n";
        manifests.Write("a.yaml", Item("a", 1) + Item("b", 2));
        manifests.Write("c.json", """
            [{ "apiVersion": "projectcalico.org/v3", "kind": "BGPPeer", "metadata": { "name": "c" }, "spec": { "peerIP": "192.0.2.3" } }]
            """);
        var snapshot = Load();
        Assert.Equal("a=1 b=2 c=3", Manifests.Peers(snapshot));
        Assert.Empty(snapshot.Problems);
    }

    /// <summary><c>jq -c '.items[]'</c>.</summary>
    [Fact]
    public void JSON_objects_one_after_another_are_all_read_up_to_the_first_that_is_none()
    {
        static string Object(string name, int last) =>
            "{\n \"apiVersion\": \"projectcalico.org/v3\", \"kind\": \"BGPPeer\", \"metadata\": { \"name\": \"" + name
            + "\" }, \"spec\": { \"peerIP\": \"192.0.2." + last + "\" } }\n";
        manifests.Write("a.json", Object("a", 1) + Object("b", 2));
        manifests.Write("c.json", Object("c", 3) + "{ \"kind\": }\n" + Object("d", 4));
        var snapshot = Load();
        Assert.Equal("a=1 b=2 c=3", Manifests.Peers(snapshot));
        var problem = Assert.Single(snapshot.Problems);
        Assert.Equal(("c.json", 3), (problem.File, problem.Line));
        Assert.StartsWith("this is not JSON", problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tag_that_is_not_YAMLs_own_is_named_wherever_it_stands()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1) + "  nodeSelector: !has(rr)\n");
        manifests.Write("b.yaml", Manifests.Peer("b", 2) + "  nodeSelector: !has(rr) && all()\n");
        manifests.Write("c.yaml", Manifests.Peer("c", 3).Replace("spec:", "spec: !peer"));
        manifests.Write("d.yaml", Manifests.Peer("d", 4) + "  nodeSelector: !!str all()\n");
        var snapshot = Load();
        Assert.Equal("d=4", Manifests.Peers(snapshot));
        Assert.Equal([("a.yaml", 8), ("b.yaml", 8), ("c.yaml", 5)], snapshot.Problems.Select(problem => (problem.File, problem.Line)));
        Assert.All(snapshot.Problems, problem => Assert.Contains("quote a value that begins with !", problem.Reason));
    }

    [Fact]
    public void A_file_without_a_kind_is_a_warning_each()
    {
        manifests.Write("values.yaml", "replicas: 3\n");
        manifests.Write("others.yaml", "image: bird\n");
        Assert.Equal(
            [
                "others.yaml:1: kind: expected an object, got one without kind: it has no effect here",
                "values.yaml:1: kind: expected an object, got one without kind: it has no effect here",
            ],
            Load().Problems.Where(problem => problem.Severity == ProblemSeverity.Warning).Select(problem => problem.ToString()));
    }

    [Fact]
    public void A_single_file_is_read_too()
    {
        manifests.Write("a.txt", Manifests.Peer("a", 1));
        Assert.Equal("a=1", Manifests.Peers(YamlFiles.Load(manifests.Of("a.txt"))));
    }

    [Fact]
    public void Of_several_paths_the_first_counts()
    {
        manifests.Write("x/z.yaml", Manifests.Peer("a", 1));
        manifests.Write("y/a.yaml", Manifests.Peer("a", 2));
        Assert.Equal("a=1", Manifests.Peers(YamlFiles.Load(manifests.Of("x"), manifests.Of("y"))));
    }

    [Fact]
    public void A_document_that_cannot_be_read_does_not_take_the_others_with_it()
    {
        manifests.Write("a.yaml", $"# peers\n---\n{Manifests.Peer("a", 1)}---\nspec: [\n---\n{Manifests.Peer("b", 2)}---\n");
        var snapshot = Load();
        Assert.Equal("a=1 b=2", Manifests.Peers(snapshot));
        var problem = Assert.Single(snapshot.Problems);
        Assert.StartsWith("this is not YAML", problem.Reason, StringComparison.Ordinal);
        Assert.InRange(problem.Line, 10, 12);
    }

    [Theory]
    [InlineData("spec: {\n  cidr: 10.0.0.0/16,\n  natOutgoing: true\n  disabled: false,\n}\n", 4)] // a comma is missing before it
    [InlineData("spec: { cidr: 10.0.0.0/16,\n  allowedUses: [Workload, Tunnel }\n", 2)]
    [InlineData("spec: { cidr: 10.0.0.0/16,\n  nodeSelector: 'all() }\n", 2)]
    public void A_mistake_in_braces_has_its_own_line(string text, int line)
    {
        manifests.Write("a.yaml", "kind: IPPool\n" + text);
        Assert.Equal(line + 1, Assert.Single(Load().Problems).Line);
    }

    [Fact]
    public void A_problem_has_the_line_in_the_file_not_in_the_document()
    {
        var bad = Manifests.Peer("b", 2).Replace("65001", "many", StringComparison.Ordinal);
        manifests.Write("a.yaml", $"%YAML 1.2\n---\n{Manifests.Peer("a", 1)}---\n{bad}");
        Assert.Equal(("a.yaml", 17, "spec.asNumber"), Load().Problems.Select(one => (one.File, one.Line, one.Field)).Single());
    }

    [Fact]
    public void A_kind_that_decides_nothing_is_named_once_over_all_files()
    {
        const string Information = "{ apiVersion: projectcalico.org/v3, kind: ClusterInformation, metadata: { name: a } }\n";
        manifests.Write("b.yaml", $"---\n{Information}---\n{Information}");
        manifests.Write("a.yaml", Information);
        Assert.Equal("a.yaml:1: ClusterInformation of projectcalico.org/v3 has no effect here", Assert.Single(Load().Problems).ToString());
    }

    [Fact]
    public void Three_dashes_inside_a_text_are_no_document()
    {
        manifests.Write("a.yaml", """
            apiVersion: v1
            kind: Secret
            metadata: { name: a }
            stringData:
              key: |
                one
                ---
                two
            """);
        Assert.Equal("one\n---\ntwo", Load().Of(Kinds.Secret)[new ResourceKey("default", "a")]!["key"]!.Text.TrimEnd());
    }

    [Fact]
    public void A_key_that_stands_there_twice_refuses_the_object()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1) + "  asNumber: 65002\n");
        var snapshot = Load();
        Assert.Empty(snapshot.Of(Kinds.BgpPeer));
        Assert.Equal("stands there twice", Assert.Single(snapshot.Problems).Reason);
    }

    [Fact]
    public void Nested_aliases_have_a_price()
    {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + string.Concat(Enumerable.Range(1, 20).Select(
            i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        manifests.Write("a.yaml", text);
        Assert.Contains("aliases counted each time", Assert.Single(Load().Problems).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Aliases_and_merge_keys_are_followed()
    {
        manifests.Write("a.yaml", """
            apiVersion: v1
            kind: List
            common: &common { peerIP: 192.0.2.1, asNumber: 1 }
            items:
            - { apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: { name: a }, spec: { <<: *common, peerIP: 192.0.2.7 } }
            - { apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: { name: b }, spec: *common }
            """);
        Assert.Equal("a=7 b=1", Manifests.Peers(Load()));
    }

    [Fact]
    public void What_is_no_UTF8_and_a_folder_that_is_not_there_are_named()
    {
        File.WriteAllBytes(manifests.Of("a.yaml"), [0x61, 0xff, 0xfe]);
        Assert.StartsWith("expected UTF-8", Assert.Single(Load().Problems).Reason, StringComparison.Ordinal);
        Assert.StartsWith("cannot be listed", Assert.Single(YamlFiles.Load(manifests.Of("nowhere")).Problems).Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_mark_of_byte_order_and_carriage_returns_do_no_harm()
    {
        var text = $"---\n{Manifests.Peer("a", 1)}---\n{Manifests.Peer("b", 2)}".Replace("\n", "\r\n", StringComparison.Ordinal);
        File.WriteAllBytes(manifests.Of("a.yaml"), [0xef, 0xbb, 0xbf, .. System.Text.Encoding.UTF8.GetBytes(text)]);
        Assert.Equal("a=1 b=2", Manifests.Peers(Load()));
    }

    [Fact]
    public void A_folder_that_a_link_leads_back_into_ends()
    {
        manifests.Write("sub/a.yaml", Manifests.Peer("a", 1));
        Directory.CreateSymbolicLink(manifests.Of("sub/back"), manifests.Path);
        Directory.CreateSymbolicLink(manifests.Of("nowhere"), manifests.Of("missing"));
        Assert.Equal("a=1", Manifests.Peers(Load()));
    }
}
