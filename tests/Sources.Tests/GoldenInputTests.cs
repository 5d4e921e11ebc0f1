using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Sources.Tests;

/// <summary>Calico's own test inputs are read without a problem.</summary>
public class GoldenInputTests
{
    private const string Inputs = "data/calico-golden/mock_data/calicoctl";

    public static TheoryData<string> Cases()
    {
        var root = SharedData.Find(Inputs);
        var files = root == null ? [] : Directory.EnumerateFiles(root, "*input.yaml", SearchOption.AllDirectories);
        return [.. files.Select(file => Path.GetRelativePath(root!, file)).Order().DefaultIfEmpty("(none)")];
    }

    [NeedsTheory(Needs.Shared + Inputs)]
    [MemberData(nameof(Cases))]
    public void An_input_of_Calicos_confd_tests_is_read(string file)
    {
        var path = Path.Combine(SharedData.Get(Inputs), file);
        var snapshot = YamlFiles.Load(path);
        Assert.Equal([], snapshot.Problems.Select(problem => problem.ToString()));
        var kinds = File.ReadLines(path).Where(line => line.StartsWith("kind:", StringComparison.Ordinal)).Select(line => line[5..].Trim());
        Assert.Equal(kinds.Where(kind => kind != "List").Order(), snapshot.All().Select(resource => resource.Kind.Word).Order());
    }
}
