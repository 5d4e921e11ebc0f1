namespace Calico.Bgp.Bgpctl.Tests.Cnat;

/// <summary>bgpctl cnat without a line.</summary>
public sealed class CnatConversationTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    private const string Web = "translation add proto tcp vip 30.0.0.2 80 to ->20.0.0.1";

    [Fact]
    public async Task Lines_that_are_piped_in_are_done_one_after_the_other()
    {
        Assert.Equal(0, await lab.PipeAsync($"# of the web\n\n{Web}\n  translation del 0\nshow translation", "cnat"));
        Assert.Equal("translation 0 is in force, until bgpd ends\ntranslation 0 is gone\nno translations\n", lab.Output.ToString());
    }

    [Fact]
    public async Task One_that_is_wrong_or_refused_ends_none_of_the_others_and_the_exit_code_tells()
    {
        Assert.Equal(1, await lab.PipeAsync($"translation del 7\nweather\n{Web}\n", "cnat"));
        Assert.Equal("translation 0 is in force, until bgpd ends\n", lab.Output.ToString());
        var errors = lab.Errors.ToString();
        Assert.StartsWith("bgpctl: expected the id of a translation", errors, StringComparison.Ordinal);
        Assert.Contains("got \"weather\"", errors, StringComparison.Ordinal);
        Assert.EndsWith("bgpctl: 2 of 3 lines failed\n", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_programs_each_lines_answer_is_a_line_of_JSON()
    {
        Assert.Equal(0, await lab.PipeAsync($"{Web}\nshow session\n", "cnat", "--json"));
        var lines = lab.Output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["{\"id\":0,", "{\"count\""], lines.Select(line => line[..8]));
    }

    [Fact]
    public async Task Nothing_after_quit_is_done()
    {
        Assert.Equal(0, await lab.PipeAsync($"quit\n{Web}\n", "cnat"));
        Assert.Empty(lab.Dataplane.Translations.Rows);
    }

    [Fact]
    public async Task What_is_typed_is_completed_done_and_fetched_back_until_Control_D()
    {
        var keys = Typed.Keys($"{Web}<Enter>sh<Tab>tr<Tab><Enter>weather<Enter>tr<Tab>d<Tab>0<Enter><UpArrow><Enter>^D");
        Assert.Equal(0, await lab.TypeAsync(keys, "cnat"));
        var shown = lab.Output.ToString();
        Assert.Contains("translation 0 is in force, until bgpd ends\n", shown, StringComparison.Ordinal);
        Assert.Contains("translation 0 is gone\n", shown, StringComparison.Ordinal);
        Assert.Contains("cnat> show translation ", shown, StringComparison.Ordinal);
        Assert.Contains("got \"weather\"", lab.Errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("got 0: there is none", lab.Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_says_which_lines_there_are()
    {
        await lab.TypeAsync(Typed.Keys("help<Enter>exit<Enter>"), "cnat");
        Assert.Contains("  show session [verbose]", lab.Output.ToString(), StringComparison.Ordinal);
    }
}
