using Calico.Bgp.Configuration;

namespace Calico.Bgp.Bgpd;

/// <summary><c>--check</c>: reads a configuration as a start would, and says what came of it.</summary>
internal static class Checking
{
    public static int Run(string path)
    {
        var result = DaemonConfig.Load(path, HostFacts.Read());
        Tell(result);
        if (result.Config == null) return 2;
        foreach (var line in result.Config.Describe()) Console.Out.WriteLine(line);
        return 0;
    }

    /// <summary>Errors and warnings go where the log goes.</summary>
    public static void Tell(ConfigResult result)
    {
        foreach (var error in result.Errors) Console.Error.WriteLine($"error: {error}");
        foreach (var warning in result.Warnings) Console.Error.WriteLine($"warning: {warning}");
    }
}
