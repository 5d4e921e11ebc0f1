namespace Calico.Bgp.Kernel.Tests;

internal static class Octets
{
    public static byte[] Of(string hex) => Convert.FromHexString(hex.Replace(" ", "").Replace("\n", "").Replace("\r", ""));

    public static string Text(ReadOnlySpan<byte> octets) => Convert.ToHexStringLower(octets);
}
