using System.Globalization;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Configuration;

/// <summary>How one word of the file becomes a value.</summary>
/// <param name="Expected">Completes "expected …".</param>
/// <param name="IsPlain">In quotes it is a text, as everywhere in YAML, and none of these.</param>
internal sealed record Reading<T>(string Expected, Func<string, T?> Parse, bool IsPlain = false) where T : struct;

/// <summary>The types that one word can have in bgpd.yaml.</summary>
internal static class Scalars
{
    public static T? Read<T>(DocumentNode node, Reading<T> reading, string name, Problems problems) where T : struct
    {
        if (node is not ScalarNode { IsNull: false } scalar || reading.Parse(scalar.Text) is not { } value)
            problems.Error(node, $"expected {reading.Expected} for {name}, got {node.Kind}");
        else if (reading.IsPlain && !scalar.Plain)
            problems.Error(node, $"expected {reading.Expected} for {name}, got a text: {scalar.Text} is to stand there without quotes");
        else return value;
        return null;
    }

    /// <summary>YAML 1.2's two words; yes and on belong to an older YAML and are mistakes often enough.</summary>
    public static readonly Reading<bool> Flag = new("true or false", text => text switch { "true" => true, "false" => false, _ => null },
        IsPlain: true);

    public static readonly Reading<Address> Address = new(
        "an IPv4 or IPv6 address", text => Net.Address.TryParse(text, out var address) ? address : null);

    public static readonly Reading<Asn> Asn = new(
        "an AS number from 1 to 4294967294",
        text => !LooksOctal(text) && Net.Asn.TryParse(text, out var asn) && asn.Value is not (0 or uint.MaxValue) ? asn : null);

    public static readonly Reading<RouterId> RouterId = new(
        "four octets such as 10.192.0.2, not all zero,", text => Net.RouterId.TryParse(text, out var id) && id.Value != 0 ? id : null);

    public static readonly Reading<IpFamily> Family = new(
        "ipv4 or ipv6", text => text switch { "ipv4" => IpFamily.IPv4, "ipv6" => IpFamily.IPv6, _ => null });

    /// <summary>Host bits that are set are more often a slip (of the length, or of the address) than meant.</summary>
    public static readonly Reading<Prefix> Prefix = new("a prefix without host bits, such as 10.0.0.0/8,", ParsePrefix);

    /// <summary>YAML 1.1 reads <c>010</c> as 8, 1.2 as 10: nobody knows which was meant.</summary>
    private static bool LooksOctal(string text) => text.TrimStart('+', '-') is ['0', >= '0' and <= '9', ..];

    public static Reading<long> Number(long least, long most) => new(
        $"a number from {least} to {most}",
        text => !LooksOctal(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most
            ? number : null);

    /// <summary><c>500ms</c>, <c>90s</c>, <c>2m</c>, <c>1h</c>; a plain number counts seconds.</summary>
    public static Reading<TimeSpan> Duration(TimeSpan least, TimeSpan most) => new(
        $"a time from {least.Words()} to {most.Words()}, such as 500ms, 90s or 2m",
        text => Durations.Parse(text) is { } time && time >= least && time <= most ? time : null);

    /// <summary><c>64MiB</c>; a plain number counts octets.</summary>
    public static Reading<long> Size(long least, long most) => new(
        $"a size from {SizeInWords(least)} to {SizeInWords(most)}, such as 64MiB",
        text => ParseSize(text) is { } size && size >= least && size <= most ? size : null);

    private static readonly (string Unit, int Shift)[] SizeUnits = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("", 0)];

    private static long? ParseSize(string text)
    {
        var (unit, shift) = SizeUnits.First(one => text.EndsWith(one.Unit, StringComparison.Ordinal));
        var digits = text.AsSpan(0, text.Length - unit.Length);
        return uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? (long)count << shift : null;
    }

    private static string SizeInWords(long size)
    {
        var (unit, shift) = SizeUnits.First(one => (size & ((1L << one.Shift) - 1)) == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{size >> shift}{unit}");
    }

    private static Prefix? ParsePrefix(string text) =>
        Net.Prefix.TryParse(text, out var prefix) && !Net.Prefix.HasHostBits(text) ? prefix : null;
}
