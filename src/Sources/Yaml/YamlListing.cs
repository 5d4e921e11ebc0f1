namespace Calico.Bgp.Sources.Yaml;

/// <summary>
/// The manifests below a folder, or the one file that the path names. Names that begin with a dot are passed over: editors' files, and the
/// folders that a mounted ConfigMap keeps its versions in (its files are links into them, and are followed).
/// </summary>
internal static class YamlListing
{
    private const int DepthLimit = 32;

    private static readonly string[] Extensions = [".yaml", ".yml", ".json"];

    public static bool IsManifest(string path) =>
        !Path.GetFileName(path).StartsWith('.') && Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Paths of the files, the folder's path in front; sorted.</summary>
    /// <exception cref="IOException">The folder is not there, or cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be listed.</exception>
    public static List<string> Files(string path)
    {
        var files = new List<string>();
        if (File.Exists(path)) files.Add(path);
        else Add(new DirectoryInfo(path), files, [], 0);
        files.Sort(StringComparer.Ordinal);
        return files;
    }

    private static void Add(DirectoryInfo folder, List<string> into, HashSet<string> above, int depth)
    {
        // A folder that a link inside it leads back to would go round for ever.
        var real = folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName;
        if (depth > DepthLimit || !above.Add(real)) return;
        foreach (var entry in folder.EnumerateFileSystemInfos())
        {
            if (entry.Name.StartsWith('.')) continue;
            if (Directory.Exists(entry.FullName)) Add(new(entry.FullName), into, above, depth + 1);
            else if (IsManifest(entry.Name)) into.Add(entry.FullName);
        }
        above.Remove(real);
    }
}
