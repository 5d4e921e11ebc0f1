namespace Calico.Bgp.Rib.Tests.Filters;

/// <summary>A test on data that lies beside the project, not in it: skipped, and seen to be, where the data is not there.</summary>
public sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    public SharedDataTheoryAttribute(string folder)
    {
        if (Find(folder) == null) Skip = $"../shared/data/{folder} is not there";
    }

    /// <summary>shared/data beside any folder above the test's own.</summary>
    internal static string? Find(string folder)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at != null; at = at.Parent)
            if (Path.Combine(at.FullName, "shared", "data", folder) is var path && Directory.Exists(path)) return path;
        return null;
    }
}
