using System.Text;

namespace Calico.Bgp.Sources;

/// <summary>A certificate, a key, a token, a password: in a file, which is read each time that it is needed, so that it may be renewed; or
/// written where it is needed. It never prints itself.</summary>
/// <param name="File">Counts before <paramref name="Inline"/>; null: there is none.</param>
public sealed record Secreted(string? File, string? Inline)
{
    private const long Largest = 1 << 20;

    /// <exception cref="IOException">The file cannot be read; the message names it.</exception>
    internal string Text()
    {
        if (File == null) return Inline!;
        try { return Encoding.UTF8.GetString(RegularFile.Read(File, Largest)); }
        // Alone: whoever looks for the cause below would find it without its name.
        catch (IOException wrong) { throw new IOException($"{File}: {wrong.Message}"); }
    }

    public override string ToString() => File ?? "(not shown)";
}
