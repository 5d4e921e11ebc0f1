using Calico.Bgp.Bgpctl.Cnat;

namespace Calico.Bgp.Bgpctl.Tests.Cnat;

public sealed class ShellArrowTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bgp-arrow-");

    public Task InitializeAsync() => lab.InitializeAsync();

    public async Task DisposeAsync()
    {
        await lab.DisposeAsync();
        folder.Delete(recursive: true);
    }

    /// <summary>What a shell makes of &gt; before it starts a program.</summary>
    private string Redirect(string name, string text = "")
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Theory]
    [InlineData("translation add proto TCP vip 30.0.0.2 80 to - 8080", "20.0.0.1",
        "translation add proto TCP vip 30.0.0.2 80 to ->20.0.0.1 8080")]
    [InlineData("translation add proto TCP real 30.0.0.2 80 to 1.2.3.4- 8080", "20.0.0.1",
        "translation add proto TCP real 30.0.0.2 80 to 1.2.3.4->20.0.0.1 8080")]
    [InlineData("translation add proto TCP vip 30::2 80 to - 8080", "20::1", "translation add proto TCP vip 30::2 80 to ->20::1 8080")]
    [InlineData("translation add proto TCP vip 30.0.0.2 80 to - 8080", "answers.txt", null)]
    [InlineData("translation add proto TCP vip 30.0.0.2 80 to - 8080 to - 8080", "20.0.0.1", null)]
    [InlineData("show translation", "20.0.0.1", null)]
    public void What_was_meant_is_plain_where_an_address_is_missing_and_a_file_is_called_so(string words, string file, string? meant) =>
        Assert.Equal(meant, ShellArrow.Mend(words.Split(' '), Redirect(file)) is { } mended ? string.Join(' ', mended) : null);

    [Fact]
    public void A_file_that_has_something_in_it_is_somebodys() =>
        Assert.Null(ShellArrow.Mend(["to", "-"], Redirect("20.0.0.1", "somebody's")));

    [Fact]
    public async Task It_is_done_as_it_was_meant_and_said_where_it_is_seen_and_the_file_goes()
    {
        var file = Redirect("20.0.0.1");
        string[] words = ["cnat", .. "translation add proto TCP vip 30.0.0.2 80 to - 8080".Split(' ')];
        Assert.Equal(0, await lab.RedirectAsync(file, words));
        Assert.False(File.Exists(file));
        Assert.Empty(lab.Output.ToString());
        Assert.EndsWith(
            "80 to ->20.0.0.1 8080\ntranslation 0 is in force, until bgpd ends\n", lab.Errors.ToString(), StringComparison.Ordinal);
        Assert.Single(lab.Dataplane.Translations.Rows);
    }
}
