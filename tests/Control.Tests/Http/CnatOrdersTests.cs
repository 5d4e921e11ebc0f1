using System.Net;
using System.Text.Json.Nodes;

namespace Calico.Bgp.Control.Tests.Http;

public sealed class CnatOrdersTests : IAsyncLifetime
{
    private const string Path = "/v1/cnat/translations";
    private const string Web = """
        {"protocol":"tcp","vip":"30.0.0.2","port":80,"balance":"maglev","flowHash":["source"],
         "backends":[{"to":"20.0.0.1:8080","weight":2},{"from":"1.2.3.4","to":"20.0.0.2"}]}
        """;

    private readonly HttpLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    private async Task<string> PostAsync(string body, HttpStatusCode expected = HttpStatusCode.OK, string query = "")
    {
        using var answer = await lab.Unix.PostAsync(Path + query, new StringContent(body));
        Assert.Equal(expected, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    private async Task<string> DeleteAsync(string query, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var answer = await lab.Unix.DeleteAsync(Path + query);
        Assert.Equal(expected, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task What_was_added_is_told_as_it_was_said()
    {
        Assert.Equal("""{"id":0,"savedIn":null,"inForce":true,"problem":null}""", await PostAsync(Web));
        var told = (await lab.JsonAsync(Path))["translations"]![0]!;
        Assert.Equal((0, "cli", true), ((int)told["id"]!, (string)told["source"]!, (bool)told["inForce"]!));
        Assert.Equal(
            """
            {"protocol":"tcp","port":80,
            "backends":[{"to":"20.0.0.1:8080","from":null,"weight":2},{"to":"20.0.0.2","from":"1.2.3.4","weight":1}],
            "vip":"30.0.0.2","real":null,"balance":"maglev","flowHash":["source"],"affinity":null}
            """.ReplaceLineEndings(""),
            told["translation"]!.ToJsonString());
    }

    [Fact]
    public async Task What_would_take_that_by_which_the_node_is_reached_is_added_only_where_that_is_meant()
    {
        lab.Dataplane.Takes = "it takes SSH";
        var error = JsonNode.Parse(await PostAsync(Web, HttpStatusCode.Conflict, "?save=true&force=false"))!;
        Assert.Equal(("takesNode", "the translation is not added: it takes SSH (--force, or ?force=true, adds it all the same)"),
            ((string?)error["code"], (string?)error["message"]));
        Assert.Empty(lab.Dataplane.Translations.Rows);
        Assert.Equal("""{"id":0,"savedIn":null,"inForce":true,"problem":null,"warnings":["it takes SSH"]}""",
            await PostAsync(Web, query: "?force=true"));
    }

    [Fact]
    public async Task What_is_told_may_be_said_again_and_changes_nothing()
    {
        await PostAsync(Web);
        var told = (await lab.JsonAsync(Path))["translations"]![0]!["translation"]!.ToJsonString();
        var before = lab.Dataplane.Translations.Row(0)!.Translation;
        Assert.Equal("""{"id":0,"savedIn":null,"inForce":true,"problem":null}""", await PostAsync(told));
        Assert.Same(before, lab.Dataplane.Translations.Row(0)!.Translation);
    }

    [Fact]
    public async Task What_is_saved_is_told_so_with_its_file_and_goes_from_it_when_it_goes()
    {
        await PostAsync("""{"protocol":"udp","vip":"30.0.0.2","port":53,"backends":[]}""");
        Assert.Equal($$"""{"id":1,"savedIn":"{{lab.SavedIn}}","inForce":true,"problem":null}""", await PostAsync(Web, query: "?save=true"));
        Assert.Equal([false, true], (await lab.JsonAsync(Path))["translations"]!.AsArray().Select(one => (bool)one!["saved"]!));
        Assert.Contains("30.0.0.2", await File.ReadAllTextAsync(lab.SavedIn), StringComparison.Ordinal);
        Assert.Equal($$"""{"ids":[0,1],"savedIn":"{{lab.SavedIn}}"}""", await DeleteAsync(""));
        Assert.DoesNotContain("30.0.0.2", await File.ReadAllTextAsync(lab.SavedIn), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_saved_is_in_force_and_the_answer_says_so()
    {
        await File.WriteAllTextAsync(lab.SavedIn, "my own notes");
        var error = JsonNode.Parse(await PostAsync(Web, HttpStatusCode.Conflict, "?save=true"))!;
        Assert.Equal("notSaved", (string)error["code"]!);
        Assert.StartsWith(
            "translation 0 lives until bgpd ends, and is not saved: ", (string)error["message"]!, StringComparison.Ordinal);
        Assert.Single(lab.Dataplane.Translations.Rows);
        Assert.Equal("save", (string?)JsonNode.Parse(await PostAsync(Web, HttpStatusCode.BadRequest, "?save=yes"))!["where"]);
    }

    [Fact]
    public async Task One_with_affinity_is_told_as_it_was_said()
    {
        await PostAsync("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[{"to":"20.0.0.1"}],"affinity":3600}""");
        var translation = lab.Dataplane.Translations.Row(0)!.Translation;
        Assert.Equal(TimeSpan.FromHours(1), translation.Affinity);
        await PostAsync((await lab.JsonAsync(Path))["translations"]![0]!["translation"]!.ToJsonString());
        Assert.Same(translation, lab.Dataplane.Translations.Row(0)!.Translation);
    }

    [Fact]
    public async Task One_is_removed_by_its_id_and_all_without_one()
    {
        await PostAsync(Web);
        await PostAsync("""{"protocol":"any","real":"eth0 v6","port":0,"backends":[]}""");
        await PostAsync("""{"protocol":"icmp","vip":"2001:db8::1","port":0,"backends":[{"to":"2001:db8::2"}]}""");
        Assert.Equal("""{"ids":[1],"savedIn":null}""", await DeleteAsync("?id=1"));
        Assert.Contains("got 1: there is none", await DeleteAsync("?id=1", HttpStatusCode.NotFound), StringComparison.Ordinal);
        Assert.Equal("""{"ids":[0,2],"savedIn":null}""", await DeleteAsync(""));
        Assert.Empty(lab.Dataplane.Translations.Rows);
    }

    [Theory]
    [InlineData("""[]""", "")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80}""", "")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":null}""", "")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"backend":1}""", "")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[null]}""", "backends")]
    [InlineData("""{"protocol":"tcp","port":80,"backends":[]}""", "vip")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","real":"30.0.0.2","port":80,"backends":[]}""", "vip")]
    [InlineData("""{"protocol":"tcp","real":"30.0.0.300","port":80,"backends":[]}""", "real")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"flowHash":["flowLabel"]}""", "flowHash")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[{"to":"20.0.0.1"},{"to":"20.0.0.1"}]}""", "backends")]
    [InlineData("""{"protocol":"tcp","vip":"0.0.0.0","port":80,"backends":[]}""", "vip")]
    [InlineData("""{"protocol":"tcp","vip":"127.0.0.1","port":80,"backends":[]}""", "vip")]
    [InlineData("""{"protocol":"udp","real":"ff02::1","port":80,"backends":[]}""", "real")]
    [InlineData("""{"protocol":"udp","vip":"30.0.0.2","port":80,"backends":[{"to":"255.255.255.255:80"}]}""", "to")]
    [InlineData("""{"protocol":"gre","vip":"30.0.0.2","port":80,"backends":[]}""", "protocol")]
    [InlineData("""{"protocol":"any","vip":"30.0.0.2","port":80,"backends":[]}""", "port")]
    [InlineData("""{"protocol":"icmp","vip":"30.0.0.2","port":80,"backends":[]}""", "port")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"balance":"random"}""", "balance")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"flowHash":["weather"]}""", "flowHash")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"affinity":0}""", "affinity")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"affinity":1.5}""", "affinity")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"affinity":5,"balance":"maglev"}""", "affinity")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"flowHash":["source","symmetric"]}""", "flowHash")]
    [InlineData("""{"protocol":"tcp","vip":"1.1.1.1","port":8,"backends":[],"flowHash":["symmetric"],"balance":"maglev"}""", "flowHash")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[],"timeouts":{"tcp":0.5}}""", "timeouts")]
    [InlineData("""{"protocol":"udp","vip":"30.0.0.2","port":80,"backends":[],"timeouts":{"tcp":60}}""", "timeouts")]
    [InlineData("""{"protocol":"sctp","vip":"30.0.0.2","port":80,"backends":[],"timeouts":{"other":60}}""", "timeouts")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[{"to":"2001:db8::1"}]}""", "to")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[{"to":":80"}]}""", "to")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":0,"backends":[{"to":"20.0.0.1:80"}]}""", "to")]
    [InlineData("""{"protocol":"tcp","vip":"30.0.0.2","port":80,"backends":[{"to":"20.0.0.1","weight":101}]}""", "weight")]
    public async Task What_is_wrong_is_refused_with_its_key(string body, string key)
    {
        var error = JsonNode.Parse(await PostAsync(body, HttpStatusCode.BadRequest))!;
        Assert.Equal(("badBody", key), ((string)error["code"]!, (string)error["where"]!));
        Assert.DoesNotContain("Calico.Bgp", (string)error["message"]!, StringComparison.Ordinal);
        Assert.Empty(lab.Dataplane.Translations.Rows);
    }

    [Fact]
    public async Task Without_services_nothing_is_added_and_the_answer_says_why()
    {
        lab.Dataplane.HasServices = false;
        Assert.Contains("\"servicesOff\"", await PostAsync(Web, HttpStatusCode.NotFound), StringComparison.Ordinal);
        Assert.Equal("""{"enabled":false,"translations":[],"problems":[]}""", (await lab.JsonAsync(Path)).ToJsonString());
        lab.Dataplane.View = lab.Dataplane.View with { Problem = "services: not permitted" };
        Assert.Equal("services: not permitted", (string?)(await lab.JsonAsync(Path))["notInForce"]);
        Assert.Contains("not in force: services: not permitted", await PostAsync(Web, HttpStatusCode.NotFound), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_upgrade_would_lose_is_refused_and_what_is_there_still_told()
    {
        await PostAsync(Web);
        lab.Dataplane.IsHandedOver = true;
        foreach (var answer in (string[])
        [
            await PostAsync(Web.Replace("80,", "81,", StringComparison.Ordinal), HttpStatusCode.ServiceUnavailable),
            await DeleteAsync("?id=0", HttpStatusCode.ServiceUnavailable), await DeleteAsync("", HttpStatusCode.ServiceUnavailable),
            await EditAsync(),
        ])
        {
            var error = JsonNode.Parse(answer)!;
            Assert.Equal("busy", (string?)error["code"]);
            Assert.StartsWith("an upgrade is under way", (string)error["message"]!, StringComparison.Ordinal);
        }
        Assert.Single((await lab.JsonAsync(Path))["translations"]!.AsArray());
        lab.Dataplane.IsHandedOver = false;
        await DeleteAsync("?id=0");

        async Task<string> EditAsync()
        {
            using var answer = await lab.Unix.PostAsync("/v1/cnat/snat", new StringContent("""{"what":"exclude","value":"20.0.0.0/8"}"""));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            return await answer.Content.ReadAsStringAsync();
        }
    }
}
