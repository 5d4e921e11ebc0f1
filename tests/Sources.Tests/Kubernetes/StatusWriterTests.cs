using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public sealed class StatusWriterTests : IAsyncLifetime
{
    private readonly List<string> heard = [];
    private ScriptedApi api = null!;

    public async Task InitializeAsync() => api = await ScriptedApi.StartAsync();
    public async Task DisposeAsync() => await api.DisposeAsync();

    /// <param name="refusals">What the first attempts are answered with.</param>
    private async Task<string?> WriteAsync(params (int Status, string Message)[] refusals)
    {
        api.On("status", async question =>
        {
            using var body = new StreamReader(question.Http.Request.Body);
            heard.Add($"{question.Http.Request.Method} {question.Http.Request.Path} {question.Http.Request.ContentType} "
                + await body.ReadToEndAsync());
            if (heard.Count > refusals.Length) await question.SayAsync("{}");
            else await question.AnswerAsync(refusals[heard.Count - 1].Status, refusals[heard.Count - 1].Message);
            return true;
        });
        using var writer = new StatusWriter(new() { Instead = new() { Server = api.Address } }, TimeProvider.System);
        return await writer.WriteAsync("mine", "{\"status\":{}}"u8.ToArray(), CancellationToken.None);
    }

    private const string Patch =
        "PATCH /apis/crd.projectcalico.org/v1/caliconodestatuses/mine/status application/merge-patch+json {\"status\":{}}";

    [Fact]
    public async Task A_status_is_patched_at_its_own_door()
    {
        Assert.Null(await WriteAsync());
        Assert.Equal([Patch], heard);
    }

    [Fact]
    public async Task A_conflict_is_tried_again()
    {
        Assert.Null(await WriteAsync((409, "modified"), (409, "modified")));
        Assert.Equal([Patch, Patch, Patch], heard);
    }

    [Fact]
    public async Task A_conflict_that_stays_is_told()
    {
        Assert.Equal("409 modified", await WriteAsync((409, "modified"), (409, "modified"), (409, "modified"), (409, "modified")));
        Assert.Equal(3, heard.Count);
    }

    [Fact]
    public async Task Who_may_not_write_is_told_and_does_not_try_again()
    {
        Assert.Equal("403 caliconodestatuses is forbidden", await WriteAsync((403, "caliconodestatuses is forbidden")));
        Assert.Single(heard);
    }
}
