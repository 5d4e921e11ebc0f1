namespace Calico.Bgp.Machine;

/// <summary>A folder of ours below /tmp, gone when disposed. Its path is short, because those of Unix sockets are; and others may read it,
/// because some daemons drop root.</summary>
public sealed class Scratch : IDisposable
{
    public Scratch(string role = "")
    {
        Leftovers.RemoveAsync().GetAwaiter().GetResult();
        Path = Directory.CreateDirectory(System.IO.Path.Combine(Leftovers.Folders, Leftovers.NewName(role))).FullName;
        File.SetUnixFileMode(Path, (UnixFileMode)0b111_101_101);
    }

    public string Path { get; }

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <returns>The file's path.</returns>
    public string Write(string name, string text)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, true);
}
