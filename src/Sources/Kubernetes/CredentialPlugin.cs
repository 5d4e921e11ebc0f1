using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>What a plugin has given: a token, a certificate, or both.</summary>
/// <param name="Expires">Null: not before the server refuses it.</param>
internal sealed record PluginCredential(string? Token, X509Certificate2? Certificate, DateTimeOffset? Expires);

/// <summary>A program that knows who we are (kubeconfig's <c>exec</c>; client.authentication.k8s.io/v1 and v1beta1).</summary>
internal sealed record CredentialPlugin(
    string Command, IReadOnlyList<string> Arguments, IReadOnlyList<KeyValuePair<string, string>> Environment, string ApiVersion)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <exception cref="IOException">It cannot be run, or does not answer as it should.</exception>
    public async Task<PluginCredential> AskAsync(CancellationToken stop)
    {
        var start = new ProcessStartInfo(Command, Arguments) { RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] =
            $"{{\"apiVersion\":\"{JsonEncodedText.Encode(ApiVersion)}\",\"kind\":\"ExecCredential\",\"spec\":{{\"interactive\":false}}}}";
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        enough.CancelAfter(Patience);
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            try { return Parse(await OutputAsync(process, enough.Token).ConfigureAwait(false)); }
            finally { if (!process.HasExited) process.Kill(); }
        }
        catch (Win32Exception wrong) { throw new IOException($"{Command}: {wrong.Message}", wrong); }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new IOException($"{Command}: expected an answer within {Patience.TotalSeconds:0} s, got none");
        }
    }

    private async Task<string> OutputAsync(Process process, CancellationToken enough)
    {
        var output = await process.StandardOutput.ReadToEndAsync(enough).ConfigureAwait(false);
        await process.WaitForExitAsync(enough).ConfigureAwait(false);
        return process.ExitCode == 0 ? output
            : throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{Command}: expected code 0, got {process.ExitCode}"));
    }

    private PluginCredential Parse(string output)
    {
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(output));
            if (!document.RootElement.TryGetProperty("status", out var status)) throw Unusable();
            var (certificate, key) = (Text(status, "clientCertificateData"), Text(status, "clientKeyData"));
            var pair = certificate != null && key != null ? ClusterAccess.Pair(certificate, key, Command) : null;
            if (Text(status, "token") is not { } token) return pair != null ? new(null, pair, Expiry(status)) : throw Unusable();
            return new(token, pair, Expiry(status));
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException) { throw Unusable(); }
    }

    private static DateTimeOffset? Expiry(JsonElement status) =>
        DateTimeOffset.TryParse(
            Text(status, "expirationTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private IOException Unusable() => new($"{Command}: expected an ExecCredential with status.token or a certificate, got something else");
}
