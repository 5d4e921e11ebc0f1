namespace Calico.Bgp.Layout.Tests;

/// <summary>The project's own files, found from where the test assembly lies.</summary>
internal static class Tree
{
    public static readonly string Root = Find(AppContext.BaseDirectory);

    public static IEnumerable<string> Rooms => Directory.GetDirectories(Path("src")).Select(folder => System.IO.Path.GetFileName(folder)!).Order();

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    private static IEnumerable<string> Folders =>
        new[] { "src", "tests", "conformance", "lab", "bench", "machine" }.Where(folder => Directory.Exists(Path(folder)));

    /// <summary>Source files of ours, as paths from the root.</summary>
    public static IEnumerable<string> Sources =>
        Folders.SelectMany(folder => Directory.EnumerateFiles(Path(folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => System.IO.Path.GetRelativePath(Root, file));

    /// <summary>All projects, with their whole paths.</summary>
    public static IEnumerable<string> Projects =>
        Folders.SelectMany(folder => Directory.EnumerateFiles(Path(folder), "*.csproj", SearchOption.AllDirectories));

    private static string Find(string folder) =>
        File.Exists(System.IO.Path.Combine(folder, "Calico.Bgp.sln")) ? folder : Find(Directory.GetParent(folder)!.FullName);
}
