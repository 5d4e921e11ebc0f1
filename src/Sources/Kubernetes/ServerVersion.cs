using System.Globalization;
using System.Text.Json;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>What <c>/version</c> says of the server (version.Info).</summary>
internal static class ServerVersion
{
    /// <summary>From 1.32 on streaming lists are there unless they are switched off (KEP-3157), and one that has them off says so. One
    /// before 1.27 does not know the word, and would leave us waiting for an end.</summary>
    private const int FirstToStream = 32;

    public static async Task<bool> StreamsListsAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        try
        {
            var body = await answer.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false);
            using var info = JsonDocument.Parse(body);
            return Number(info.RootElement.GetProperty("major")) > 1 || Number(info.RootElement.GetProperty("minor")) >= FirstToStream;
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException
            or OperationCanceledException || ApiServer.IsBroken(wrong))
        {
            return false;
        }
    }

    /// <summary>Some who build it write <c>31+</c>.</summary>
    private static int Number(JsonElement text) =>
        int.TryParse(text.GetString()!.TrimEnd('+'), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
