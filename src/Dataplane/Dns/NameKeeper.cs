using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>Who reads and writes the file of what was looked up, and says what becomes of it, each thing once. Called on one loop; it is
/// written beside.</summary>
internal sealed class NameKeeper(ILogger log)
{
    private string? untouchable, said;

    /// <summary>Ends when what is being written is written.</summary>
    public Task Writing { get; private set; } = Task.CompletedTask;

    /// <summary>What of it counts; what does not has been said, and nothing takes its place unseen.</summary>
    public NameCacheImage? Read(string file, int epoch, DnsIsolation isolation)
    {
        (untouchable, said) = (null, null);
        var read = NameCacheFile.Read(file, epoch, isolation);
        if (read.IsBroken) SetAside(file, read.Problem!);
        else if (read.Problem is { } problem) DataplaneLog.NamesNotTaken(log, file, problem);
        return read.Image;
    }

    private void SetAside(string file, string problem)
    {
        try
        {
            DataplaneLog.NamesUnreadable(log, file, problem, $"it is {NameCacheFile.SetAside(file)} now, and another one is begun");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            untouchable = file;
            DataplaneLog.NamesUnreadable(log, file, problem,
                $"it cannot be set aside ({Failures.WordsOf(refused)}), and nothing is kept until it is out of the way");
        }
    }

    /// <summary>Not while another one is being written, or something that was not understood is there.</summary>
    public void Write(string file, Func<NameCacheImage> image)
    {
        if (file == untouchable && !Path.Exists(file)) untouchable = null;
        if (Writing.IsCompleted && file != untouchable) Writing = WriteAsync(file, image());
    }

    private async Task WriteAsync(string file, NameCacheImage image)
    {
        await Task.Yield();
        try
        {
            NameCacheFile.Write(file, image);
            said = null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            var words = Failures.WordsOf(refused);
            if (words != said) DataplaneLog.NamesNotKept(log, file, words);
            said = words;
        }
    }
}
