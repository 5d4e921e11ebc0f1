using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources;

namespace Calico.Bgp.Configuration;

/// <summary>
/// A peer's TCP MD5 key (RFC 2385), from a file or in place. The file is read with the configuration, so that a reload notices a new key
/// and a missing one stops the start. Keys stand in no message.
/// </summary>
internal sealed class PasswordReader(Folder folder)
{
    /// <summary>TCP_MD5SIG_MAXKEYLEN (linux/tcp.h).</summary>
    private const int KeyLimit = 80;

    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public string? Read(Section peer)
    {
        if (!peer.TryGet("password", out var node)) return null;
        if (node is not MappingNode mapping)
        {
            peer.Problems.Error(node, "expected { file: PATH } or { value: KEY } for password");
            return null;
        }
        var password = new Section(mapping, peer.Name("password"), peer.Problems);
        var (file, value) = (password.Text("file"), InPlace(password));
        if (password.Has("file") == password.Has("value")) peer.Problems.Error(node, "expected one of file and value for password");
        password.Close();
        var key = file == null ? value : FromFile(password, file);
        if (key == null || Encoding.UTF8.GetByteCount(key) is > 0 and <= KeyLimit) return key;
        peer.Problems.Error(node, $"expected a key of 1 to {KeyLimit} octets for password, got {Encoding.UTF8.GetByteCount(key)}");
        return null;
    }

    /// <summary>Read by hand, since an error's text would quote it.</summary>
    private static string? InPlace(Section password)
    {
        if (!password.TryGet("value", out var node)) return null;
        if (node is ScalarNode { IsNull: false } scalar) return scalar.Text;
        password.Problems.Error(node, "expected a text for password.value");
        return null;
    }

    private string? FromFile(Section password, string name)
    {
        var path = name;
        try
        {
            path = folder.Resolve(name);
            if (FileLook.At(path) is { IsRegular: false } other) throw new IOException($"expected a regular file, got {other.KindInWords}");
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & Others) != 0)
                password.Problems.Warn(password.At("file"), $"{path} is open to every user of this machine; chmod 600 makes it ours alone");
            var octets = new byte[KeyLimit + 3];
            var count = file.ReadAtLeast(octets, octets.Length, throwOnEndOfStream: false);
            return Encoding.UTF8.GetString(octets.AsSpan(0, count)).TrimEnd('\r', '\n');
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            password.Error("file", $"expected a readable file for {password.Name("file")}, got {path}: {Failures.WordsOf(wrong)}");
            return null;
        }
    }
}
