namespace Calico.Bgp.Wire.Tests;

/// <summary>Octets in the open: <c>"40 01 01 00"</c>.</summary>
internal static class Hex
{
    public static byte[] Octets(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
    public static string Text(ReadOnlySpan<byte> octets) => string.Join(' ', octets.ToArray().Select(x => x.ToString("x2")));
}
