using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

/// <summary>A community as Calico's resources write it: <c>aa:nn</c> (RFC 1997, 16 bits each) or <c>aa:nn:mm</c> (RFC 8092, 32 bits
/// each). Exactly one of the two is there.</summary>
public readonly record struct CommunityValue(Community? Standard, LargeCommunity? Large)
{
    public static bool TryParse(string text, out CommunityValue value)
    {
        value = default;
        var parts = text.Split(':');
        if (parts.Length == 2 && Half(parts[0], out var high) && Half(parts[1], out var low)) value = new(new Community(high, low), null);
        if (parts.Length == 3 && Word(parts[0], out var global) && Word(parts[1], out var first) && Word(parts[2], out var second))
            value = new(null, new LargeCommunity(global, first, second));
        return value != default;
    }

    private static bool Half(string text, out ushort number) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static bool Word(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    public override string ToString() => Standard?.ToString() ?? Large?.ToString() ?? "";
}
