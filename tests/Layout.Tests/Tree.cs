namespace Calico.Bgp.Layout.Tests;

/// <summary>The project's own files.</summary>
internal static class Tree
{
    public static string Root => Project.Root;

    public static IEnumerable<string> Rooms =>
        Directory.GetDirectories(Path("src")).Select(folder => System.IO.Path.GetFileName(folder)!).Order();

    public static string Path(params string[] parts) => Project.PathOf(parts);

    private static IEnumerable<string> Folders =>
        new[] { "src", "tests", "conformance", "lab", "bench", "machine" }.Where(folder => Directory.Exists(Path(folder)));

    /// <summary>Source files of ours, as paths from the root.</summary>
    public static IEnumerable<string> Sources => Under("src", "tests", "conformance", "lab", "bench", "machine")
        .Where(file => file.EndsWith(".cs", StringComparison.Ordinal));

    /// <summary>All files in these folders, as paths from the root.</summary>
    public static IEnumerable<string> Under(params string[] folders) =>
        folders.SelectMany(folder => Directory.EnumerateFiles(Path(folder), "*", SearchOption.AllDirectories))
            .Select(file => System.IO.Path.GetRelativePath(Root, file)).Order(StringComparer.Ordinal);

    /// <summary>All projects, with their whole paths.</summary>
    public static IEnumerable<string> Projects => Under("src", "tests", "conformance", "lab", "bench", "machine")
        .Where(file => file.EndsWith(".csproj", StringComparison.Ordinal)).Select(file => Path(file));
}
