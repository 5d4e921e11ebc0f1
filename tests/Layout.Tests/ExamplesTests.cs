using System.Diagnostics;

namespace Calico.Bgp.Layout.Tests;

/// <summary>Every configuration that we show to people is one that the daemon takes.</summary>
public class ExamplesTests
{
    public static TheoryData<string> Configurations =>
        [.. Directory.EnumerateFiles(Tree.Root, "bgpd.yaml")
            .Concat(Directory.Exists(Tree.Path("examples"))
            ? Directory.EnumerateFiles(Tree.Path("examples"), "bgpd.yaml", SearchOption.AllDirectories) : [])
            .Select(file => Path.GetRelativePath(Tree.Root, file)).Order()];

    [Theory]
    [MemberData(nameof(Configurations))]
    public async Task An_example_is_a_good_configuration(string file)
    {
        var (code, output) = await CheckAsync(file);
        Assert.True(code == 0, output);
    }

    private static async Task<(int Code, string Output)> CheckAsync(string file)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "bgpd.dll"), "--check", Tree.Path(file)])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetDirectoryName(Tree.Path(file)),
        };
        using var check = Process.Start(start)!;
        var errors = check.StandardError.ReadToEndAsync();
        var output = await check.StandardOutput.ReadToEndAsync() + await errors;
        await check.WaitForExitAsync();
        return (check.ExitCode, output);
    }

    [Fact]
    public async Task A_check_says_what_the_objects_make_of_it()
    {
        var lines = (await CheckAsync("examples/05-tor/bgpd.yaml")).Output.Split('\n');
        Assert.Contains("router 10.0.1.11, AS 64512, node node1", lines);
        Assert.Contains(lines, line => line.StartsWith("peer Global_10_0_1_1: 10.0.1.1 AS 65001 (external)", StringComparison.Ordinal));
        Assert.Contains("route 10.244.1.0/26 blackhole", lines);
    }

    public static TheoryData<string> Folders =>
        [.. Directory.EnumerateDirectories(Tree.Path("examples")).Select(folder => Path.GetRelativePath(Tree.Root, folder)).Order()];

    /// <summary>Sockets beside the file, so that it can be tried by anybody; the first one is the README's, word for word.</summary>
    [Theory]
    [MemberData(nameof(Folders))]
    public void An_example_says_what_it_shows_and_where_it_answers(string folder)
    {
        Assert.StartsWith("# ", File.ReadAllText(Tree.Path($"{folder}/README.md")), StringComparison.Ordinal);
        if (!folder.EndsWith("00-first-node", StringComparison.Ordinal))
            Assert.Contains("control: { socket: bgpd.ctl,", File.ReadAllText(Tree.Path($"{folder}/bgpd.yaml")), StringComparison.Ordinal);
    }
}
