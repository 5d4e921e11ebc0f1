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
        Assert.True(check.ExitCode == 0, output);
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
