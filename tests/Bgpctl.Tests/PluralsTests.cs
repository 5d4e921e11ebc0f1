using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Views;
using Calico.Bgp.Control.Tests.Http;

namespace Calico.Bgp.Bgpctl.Tests;

/// <summary>Each view, where there is one of everything that it counts.</summary>
public sealed partial class PluralsTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task One_problem_of_the_resources_is_one()
    {
        var status = await AskAsync("status", AnswersJson.Default.StatusAnswer);
        var resources = new ResourcesAnswer("a", "3.33", [new("IPPool/x", "spec", "no", null, null, true)]);
        Shows("\n1 problem\n", StatusView.Of(status with { Resources = resources }));
    }

    [Fact]
    public async Task One_session_so_far_is_one()
    {
        lab.Speaker.Protocols = [.. lab.Speaker.Protocols.Where(protocol => protocol.Name == "new-tor")];
        var peer = (await AskAsync("peers", AnswersJson.Default.IReadOnlyListPeerAnswer)).Single();
        Shows("1 session so far", PeerView.Of(peer, FakeSpeaker.Now));
    }

    [Fact]
    public async Task One_full_reading_is_one() =>
        Shows("1 full reading", KernelView.Of(await AskAsync("kernel", AnswersJson.Default.KernelAnswer), FakeSpeaker.Now));

    [Fact]
    public async Task One_change_repair_connection_and_further_range_are_one()
    {
        var nat = await AskAsync("nat", AnswersJson.Default.NatAnswer);
        var pool = nat.Pools[0] with { ExceptTo = [.. Enumerable.Range(1, 5).Select(each => $"10.0.0.{each}")] };
        var page = NatView.Of(nat with { Table = new(1, 1, 1), ConnectionsCut = 1, Pools = [pool] }, FakeSpeaker.Now);
        Shows("1 change written; put right once after others", page);
        Shows("1 connection, because pools changed", page);
        Shows("and 1 more range", page);
    }

    private async Task<T> AskAsync<T>(string what, JsonTypeInfo<T> type)
    {
        Assert.Equal(0, await lab.RunAsync(what, "--json"));
        return JsonSerializer.Deserialize(lab.Output.ToString(), type)!;
    }

    private static void Shows(string expected, Page page)
    {
        var shown = new StringWriter { NewLine = "\n" };
        new Screen(shown, shown, null).Write(page);
        Assert.Contains(expected, shown.ToString(), StringComparison.Ordinal);
        Assert.DoesNotMatch(Plural(), shown.ToString());
    }

    [GeneratedRegex(@"(^|[ (])1 ([a-z]+ )?[a-z]+s\b", RegexOptions.Multiline)]
    private static partial Regex Plural();
}
