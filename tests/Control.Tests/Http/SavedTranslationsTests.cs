using Calico.Bgp.Control.Http;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class SavedTranslationsTests : IDisposable, ILogger<SavedTranslations>
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bgp-saved-");
    private readonly List<string> log = [];

    private string Place => Path.Combine(folder.FullName, "state", "translations.json");

    private SavedTranslations Begin() => new(Place, this);

    public void Dispose() => folder.Delete(recursive: true);

    private static TranslationPlace At(string address) => TranslationPlace.Of(Address.Parse(address));

    private static readonly Translation Web = new(
        "", TranslationKind.Vip, new(At("30.0.0.2"), IpProtocol.Tcp, 80),
        [new(Backend.Unchanged, new(At("20.0.0.1"), 8080)) { Weight = 3 }, new(new(At("1.2.3.4"), 1024), new(At("20.0.0.2"), null))])
    {
        Balance = TranslationBalance.Maglev,
        FlowHash = FlowHash.Source | FlowHash.SourcePort,
    };

    private static readonly Translation All = new(
        "", TranslationKind.Real, new(TranslationPlace.OfInterface("eth0", IpFamily.IPv6), null, 0),
        [new(Backend.Unchanged, new(At("2001:db8::1"), null))])
    {
        Affinity = TimeSpan.FromMinutes(5),
    };

    [Fact]
    public void What_is_saved_is_there_when_the_daemon_starts_again_as_it_was()
    {
        var saved = Begin();
        Assert.Equal(CommandLineState.None, saved.Read());
        Assert.Equal(Place, saved.Save(Web));
        saved.Save(All);
        Assert.Equal([Web, All], Begin().Read().Translations);
        Assert.Empty(log);
    }

    [Fact]
    public void One_of_the_same_address_protocol_and_port_takes_the_place_of_another()
    {
        var saved = Begin();
        saved.Read();
        saved.Save(Web);
        var newer = Web with { Balance = TranslationBalance.Hash };
        saved.Save(newer);
        Assert.Equal([newer], Begin().Read().Translations);
    }

    [Fact]
    public void What_goes_is_saved_no_more_and_what_never_was_changes_nothing()
    {
        var saved = Begin();
        saved.Read();
        saved.Save(Web);
        saved.Save(All);
        Assert.True(saved.Has(Web.Key));
        Assert.Equal(Place, saved.Forget([Web.Key]));
        Assert.False(saved.Has(Web.Key));
        Assert.Null(saved.Forget([Web.Key]));
        Assert.Equal([All], Begin().Read().Translations);
    }

    [Fact]
    public void What_is_said_of_source_NAT_is_saved_beside_them()
    {
        var saved = Begin();
        saved.Read();
        saved.Save(Web);
        SourceNatEdit[] edits =
        [
            new SourceNatEdit.Policy(SourceNatPolicy.K8s), new SourceNatEdit.Source(IpFamily.IPv6, SourceNatWords.Place("30::1")),
            new SourceNatEdit.Source(IpFamily.IPv4, null), new SourceNatEdit.Exclude(Prefix.Parse("20::/100"), false),
            new SourceNatEdit.Link(SourceNatLinks.Pod, "cali*", false), new SourceNatEdit.Link(SourceNatLinks.Host, "eth0", true),
            new SourceNatEdit.Rewrite(Prefix.Parse("10.0.0.0/24"), Prefix.Parse("20.0.0.0/24")),
        ];
        foreach (var edit in edits) Assert.Equal(Place, saved.Save(edit));
        var next = Begin();
        var read = next.Read();
        Assert.Equal(Web, Assert.Single(read.Translations));
        Assert.Equal(edits, read.SourceNat.All);
        Assert.Equal(Place, next.ForgetSourceNat());
        Assert.Null(next.ForgetSourceNat());
        Assert.Equal(new CommandLineState([Web], SourceNatEdits.None), Begin().Read());
        Assert.Empty(log);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"version\":1,\"translations\":[{\"proto")]
    [InlineData("{\"version\":2,\"translations\":[],\"snat\":[]}")]
    [InlineData("{\"version\":1,\"translations\":[],\"snat\":[],\"weather\":\"fine\"}")]
    [InlineData("null")]
    [InlineData("my own notes")]
    public void A_half_written_file_or_somebody_elses_is_said_and_left(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Place)!);
        File.WriteAllText(Place, text);
        var saved = Begin();
        Assert.Equal(CommandLineState.None, saved.Read());
        Assert.StartsWith($"{Place}, where saved translations are, is left as it is, and nothing is saved: ", Assert.Single(log),
            StringComparison.Ordinal);
        Assert.Contains("take it away", Assert.Throws<IOException>(() => saved.Save(Web)).Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(Place));
        File.Delete(Place);
        saved.Save(Web);
        Assert.Equal([Web], Begin().Read().Translations);
    }

    [Fact]
    public void Of_a_file_with_one_that_is_wrong_the_others_count_and_it_is_left()
    {
        var saved = Begin();
        saved.Read();
        saved.Save(Web);
        saved.Save(All);
        var text = File.ReadAllText(Place).Replace("30.0.0.2", "30.0.0.300", StringComparison.Ordinal);
        File.WriteAllText(Place, text);
        var next = Begin();
        Assert.Equal([All], next.Read().Translations);
        Assert.Contains("30.0.0.300", Assert.Single(log), StringComparison.Ordinal);
        Assert.StartsWith($"{Place} is left as it is, and nothing is saved: ", next.Problem, StringComparison.Ordinal);
        Assert.Contains("30.0.0.300", next.Problem, StringComparison.Ordinal);
        Assert.Null(saved.Problem);
        Assert.Throws<IOException>(() => next.Forget([All.Key]));
        Assert.Equal(text, File.ReadAllText(Place));
        File.Delete(Place);
        Assert.Null(next.Problem);
    }

    [Fact]
    public void A_file_that_somebody_has_written_to_since_is_left()
    {
        var saved = Begin();
        saved.Read();
        saved.Save(Web);
        File.AppendAllText(Place, "\n");
        Assert.Throws<IOException>(() => saved.Save(All));
        Assert.False(saved.Has(All.Key));
        Assert.Equal([Web], Begin().Read().Translations);
    }

    [Fact]
    public void Where_it_cannot_be_written_that_is_said_and_what_was_there_counts()
    {
        File.WriteAllText(Path.Combine(folder.FullName, "state"), "");
        var saved = Begin();
        Assert.Equal(CommandLineState.None, saved.Read());
        Assert.Throws<IOException>(() => saved.Save(Web));
        Assert.False(saved.Has(Web.Key));
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        log.Add(formatter(state, exception));
}
