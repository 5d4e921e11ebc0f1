namespace Calico.Bgp.Wire.Tests;

/// <summary>Third-party data that lies beside the checkout, never in it.</summary>
internal static class SharedData
{
    /// <summary>CALICO_BGP_SHARED, or the folder <c>shared</c> beside the first folder above the tests that has one; null:
    /// absent.</summary>
    public static string? Find(string path)
    {
        var named = Environment.GetEnvironmentVariable("CALICO_BGP_SHARED");
        if (named != null) return Existing(Path.Combine(named, path));
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
            if (Existing(Path.Combine(folder.FullName, "shared", path)) is { } found) return found;
        return null;
    }

    private static string? Existing(string path) => File.Exists(path) || Directory.Exists(path) ? path : null;
}

/// <summary>A test that needs shared data: skipped, visibly, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(string path)
    {
        if (SharedData.Find(path) == null) Skip = $"shared/{path} is not there (CALICO_BGP_SHARED names another place)";
    }
}

/// <summary>As <see cref="SharedDataFactAttribute"/>, for tests with rows.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    public SharedDataTheoryAttribute(string path)
    {
        if (SharedData.Find(path) == null) Skip = $"shared/{path} is not there (CALICO_BGP_SHARED names another place)";
    }
}
