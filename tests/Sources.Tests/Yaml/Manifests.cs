using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Tests.Yaml;

/// <summary>A folder of its own for each test, gone afterwards.</summary>
internal sealed class Manifests : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("manifests").FullName;

    public string Of(string file) => System.IO.Path.Combine(Path, file);

    public void Write(string file, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Of(file))!);
        File.WriteAllText(Of(file), text);
    }

    /// <summary>As careful programs write: beside, then into place.</summary>
    public void Replace(string file, string text)
    {
        Write("." + System.IO.Path.GetFileName(file) + ".new", text);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Of(file))!);
        File.Move(Of("." + System.IO.Path.GetFileName(file) + ".new"), Of(file), overwrite: true);
    }

    public static string Peer(string name, int last) => $$"""
        apiVersion: projectcalico.org/v3
        kind: BGPPeer
        metadata:
          name: {{name}}
        spec:
          peerIP: 192.0.2.{{last}}
          asNumber: 65001

        """;

    public static string Peers(ResourceSnapshot snapshot) =>
        string.Join(' ', snapshot.Of(Kinds.BgpPeer).Select(peer => $"{peer.Name}={peer.PeerIP!.Address.IPv4Bits & 255}"));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
