using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Sources.Etcd;

/// <summary>Where etcd is, and who we are for it.</summary>
/// <param name="Endpoints"><c>https://10.0.0.1:2379</c>; of which one is talked to at a time.</param>
public sealed record EtcdSettings(ListOf<string> Endpoints)
{
    /// <summary>Whose certificates are believed; null: those that the system believes.</summary>
    public EtcdText? Authority { get; init; }
    /// <summary>Ours, PEM; null, as the key: none.</summary>
    public EtcdText? Certificate { get; init; }
    public EtcdText? Key { get; init; }
    /// <summary>Null, as the password: nobody in particular.</summary>
    public EtcdText? Username { get; init; }
    public EtcdText? Password { get; init; }
}

/// <summary>A text, or the file that it stands in, which is read anew for each connection: it may be rotated.</summary>
public sealed record EtcdText(string Text, bool IsFile)
{
    private const int LargestFile = 1 << 20;

    /// <exception cref="IOException">The file cannot be read; the message names it.</exception>
    internal string Read()
    {
        if (!IsFile) return Text;
        try { return Encoding.UTF8.GetString(RegularFile.Read(Text, LargestFile)); }
        catch (IOException wrong) { throw new IOException($"{Text}: {wrong.Message}", wrong); }
    }

    /// <summary>What is no file may be a password.</summary>
    public override string ToString() => IsFile ? Text : "(not shown)";
}
