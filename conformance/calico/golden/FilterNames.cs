using System.Security.Cryptography;
using System.Text;
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

/// <summary>A BGPFilter's name and that of the function that confd makes of it.</summary>
internal static class FilterNames
{
    private const int Longest = 45, Kept = 28, Hashed = 16;

    /// <summary>The filters that a peer's chain calls, in order.</summary>
    public static string CalledBy(Statement chain) =>
        string.Join(' ', Calls(chain).Where(name => name.StartsWith("bgp_", StringComparison.Ordinal)));

    public static string Functions(IEnumerable<string> filters, string direction, bool v4) =>
        string.Join(' ', filters.Select(name => $"bgp_{Short(name)}_{direction}FilterV{(v4 ? 4 : 6)}"));

    private static IEnumerable<string> Calls(Statement statement) => statement switch
    {
        Call call => [call.Function],
        Block block => block.Statements.SelectMany(Calls),
        _ => [],
    };

    private static string Short(string name) =>
        name.Length <= Longest ? name : $"{name[..Kept]}_{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..Hashed]}";
}
