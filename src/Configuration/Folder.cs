using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Configuration;

/// <summary>The folder of bgpd.yaml, where its relative paths start, so that an example works from wherever it is run.</summary>
internal sealed class Folder(string fileName)
{
    /// <summary>Octets of sun_path with its final zero (unix(7)).</summary>
    private const int SocketPathLimit = 108;

    private readonly string folder = Path.GetDirectoryName(fileName) ?? "";

    public string Resolve(string path) => Path.IsPathRooted(path) ? path : Path.Combine(folder, path);

    /// <summary>A path that a Unix socket can be bound to, or null and an error.</summary>
    public string? Socket(string? text, DocumentNode at, string name, Problems problems)
    {
        if (text == null) return null;
        var path = Resolve(text);
        if (text.Length > 0 && !text.Contains('\0') && System.Text.Encoding.UTF8.GetByteCount(path) < SocketPathLimit) return path;
        problems.Error(at, $"expected a path of 1 to {SocketPathLimit - 1} octets for {name}, got {at.Kind}");
        return null;
    }
}
