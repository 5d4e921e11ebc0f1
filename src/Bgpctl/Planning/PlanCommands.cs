// The commands of `bgpctl plan`: no daemon is asked, and nothing is changed.

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpctl.Views;

namespace Calico.Bgp.Bgpctl.Planning;

internal sealed class PlanCommands(Screen screen, TimeProvider time, bool json)
{
    private static readonly AnswersJson Json = AnswersJson.Legible;

    /// <returns>Whether all that the resources say is in force.</returns>
    public async Task<bool> ShowAsync(string config, CancellationToken stop)
    {
        var plan = await ReadAsync(config, stop).ConfigureAwait(false);
        Say(plan.Answer(), Json.PlanAnswer, answer => PlanView.Of(answer, plan.Joined));
        return !plan.IsRefused;
    }

    /// <returns>Whether all that the resources say is in force.</returns>
    public async Task<bool> ProbeAsync(string config, string probes, CancellationToken stop)
    {
        var plan = await ReadAsync(config, stop).ConfigureAwait(false);
        Say(plan.Answer(ProbeReader.Read(probes)), Json.ProbesAnswer, ProbeView.Of);
        return !plan.IsRefused;
    }

    /// <param name="newer">Another bgpd.yaml, with the resources that it names.</param>
    /// <returns>Whether all that the resources say is in force.</returns>
    public async Task<bool> DifferAsync(string config, string newer, CancellationToken stop)
    {
        var (before, after) = (await ReadAsync(config, stop).ConfigureAwait(false), await ReadAsync(newer, stop).ConfigureAwait(false));
        var lines = before.Changes(after).ToArray();
        var shown = json ? [JsonSerializer.Serialize(new(lines), Json.ReloadAnswer)] : lines.Length == 0 ? ["nothing changes"] : lines;
        foreach (var line in shown)
            await screen.Output.WriteLineAsync(line).ConfigureAwait(false);
        return !after.IsRefused;
    }

    private Task<OfflinePlan> ReadAsync(string config, CancellationToken stop) => OfflinePlan.ReadAsync(config, time, screen.Errors, stop);

    private void Say<T>(T answer, JsonTypeInfo<T> type, Func<T, Page> view)
    {
        if (json) screen.Output.WriteLine(JsonSerializer.Serialize(answer, type));
        else screen.Write(view(answer));
    }
}
