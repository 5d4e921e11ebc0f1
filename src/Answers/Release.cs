// Which release speaks. bgpd says its own with every answer, whatever the answer is, so that a bgpctl of another release can say why the
// two do not understand each other. It is never guessed from what an answer lacks.

using System.Reflection;

namespace Calico.Bgp.Answers;

/// <summary><c>bgpctl version --json</c>.</summary>
/// <param name="Bgpd">The release of the daemon; null: none answers, and why is <paramref name="Problem"/>.</param>
public sealed record VersionAnswer(string Bgpctl, string? Bgpd, string? Problem);

/// <summary>The release that this was built as; all rooms of a command are of one.</summary>
public static class Release
{
    private const string Product = "bgpd/";

    public static string Version { get; } =
        typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>What bgpd writes into the field <c>Server</c> (RFC 9110 section 10.2.4).</summary>
    public static string Server { get; } = Product + Version;

    /// <summary>The release of whoever wrote this field; null: an older bgpd, which had none, or another program.</summary>
    public static string? Of(string? server) =>
        server?.StartsWith(Product, StringComparison.Ordinal) == true ? server[Product.Length..] : null;
}
