namespace Calico.Bgp.TestMachine;

/// <summary>Third-party data that lies beside the checkout, never in it: a checkout that stands alone has none of it.</summary>
public static class SharedData
{
    /// <summary>Names another folder than <c>shared</c>. tests/run points it to nowhere, to see every test skipped that needs the
    /// data.</summary>
    public const string Variable = "CALICO_BGP_SHARED";

    /// <summary>The file or folder in CALICO_BGP_SHARED, or else in a folder <c>shared</c> beside any folder above the tests; null:
    /// absent.</summary>
    public static string? Find(string path)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } named) return Existing(Path.Combine(named, path));
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
            if (Existing(Path.Combine(folder.FullName, "shared", path)) is { } found) return found;
        return null;
    }

    /// <summary>The same for a test that is skipped where the path is absent.</summary>
    /// <exception cref="FileNotFoundException">It is absent.</exception>
    public static string Get(string path) => Find(path) ?? throw new FileNotFoundException(Missing(path));

    /// <summary>Why a test that needs the path cannot run; null when it can.</summary>
    public static string? Missing(string path) =>
        Find(path) == null ? $"shared/{path} is not there ({Variable} names another place)" : null;

    private static string? Existing(string path) => File.Exists(path) || Directory.Exists(path) ? path : null;
}
