using System.Net;
using System.Text.Json;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>
/// In which of two API groups Calico's objects are (calico-bgp.md section 6.1): <c>crd.projectcalico.org</c>, unless the server has
/// <c>projectcalico.org</c> alone. With Calico's aggregated API server it has both, and the second is then the first seen through it.
/// </summary>
internal sealed class CalicoGroup(ApiServer server, string? said, TimeProvider time) : IDisposable
{
    private const string Calico = "projectcalico.org", Crd = "crd.projectcalico.org";

    /// <summary>One answer for all kinds that are asked for at once.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim asking = new(1);
    private long asked;
    private string? group;

    /// <summary>How a kind is asked for now.</summary>
    /// <exception cref="ApiLost">The connection broke.</exception>
    public async ValueTask<ApiName> NameAsync(ResourceKind kind, CancellationToken stop)
    {
        if (!kind.Names.Any(name => name.Group == Crd)) return kind.Names[0];
        var chosen = said ?? await ChosenAsync(stop).ConfigureAwait(false);
        return kind.Names.FirstOrDefault(name => name.Group == chosen) ?? kind.Names[0];
    }

    private async ValueTask<string> ChosenAsync(CancellationToken stop)
    {
        await asking.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (group != null && time.GetElapsedTime(asked) < Fresh) return group;
            (group, asked) = (await AskAsync(stop).ConfigureAwait(false), time.GetTimestamp());
            return group;
        }
        finally { asking.Release(); }
    }

    private async Task<string> AskAsync(CancellationToken stop)
    {
        try
        {
            using var answer = await server.GetAsync("/apis", stop).ConfigureAwait(false);
            var body = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
            using var list = await JsonDocument.ParseAsync(body, cancellationToken: stop).ConfigureAwait(false);
            var all = list.RootElement.GetProperty("groups").EnumerateArray();
            var groups = all.Select(one => one.GetProperty("name").GetString()).ToHashSet();
            return groups.Contains(Calico) && !groups.Contains(Crd) ? Calico : Crd;
        }
        catch (ApiRefusal refused) when (refused.Status == HttpStatusCode.Forbidden) { return Crd; }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException
            || ApiServer.IsBroken(wrong))
        {
            throw new ApiLost($"/apis: expected an APIGroupList: {wrong.Message}", wrong);
        }
    }

    public void Dispose() => asking.Dispose();
}
