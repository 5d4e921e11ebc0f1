using System.Globalization;
using System.Text.RegularExpressions;

namespace Calico.Bgp.Resources.Reading;

/// <summary>
/// A word without quotes as a number, as the API server's YAML reads it (go-yaml v2: YAML 1.1's spellings, and 0o of 1.2; then JSON, where
/// a float without a fraction is an integer): <c>0xFDE9</c>, <c>0176751</c> in octal, <c>65_001</c>, Helm's <c>4.2e+09</c>. Base 60 is
/// read as text there. JSON's own numbers are a part of this.
/// </summary>
internal static partial class PlainNumber
{
    /// <summary>From here on a float no longer tells neighbours apart, and JSON no longer writes it as an integer.</summary>
    private const double LargestExact = 1L << 53;

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")]
    private static partial Regex FloatPattern();

    /// <summary>Null: it is no number, or has a fraction, or is larger than any that is asked for.</summary>
    public static long? Integer(string word)
    {
        // What nearly all are.
        if (word is [>= '1' and <= '9', ..] or "0"
            && long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var simple)) return simple;
        var plain = word.Contains('_', StringComparison.Ordinal) ? word.Replace("_", "", StringComparison.Ordinal) : word;
        return Whole(plain) ?? Float(plain);
    }

    /// <summary>Null: it is no number, or too large for one.</summary>
    public static double? Real(string word)
    {
        if (Integer(word) is { } whole) return whole;
        var plain = word.Replace("_", "", StringComparison.Ordinal);
        if (!FloatPattern().IsMatch(plain)) return null;
        var number = double.Parse(plain, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(number) ? number : null;
    }

    private static long? Whole(string plain)
    {
        var negative = plain.StartsWith('-');
        var digits = plain.AsSpan(plain is ['+' or '-', ..] ? 1 : 0);
        var (from, radix) = digits switch
        {
            ['0', 'x' or 'X', ..] => (2, 16),
            ['0', 'o' or 'O', ..] => (2, 8),
            ['0', 'b' or 'B', ..] => (2, 2),
            ['0', _, ..] => (1, 8),
            _ => (0, 10),
        };
        if (digits.Length == from) return null;
        long number = 0;
        foreach (var digit in digits[from..])
        {
            var value = char.IsAsciiDigit(digit) ? digit - '0' : char.IsAsciiHexDigit(digit) ? (digit | 0x20) - 'a' + 10 : radix;
            if (value >= radix) return null;
            number = number * radix + value;
            if (number > (long)LargestExact) return null;
        }
        return negative ? -number : number;
    }

    private static long? Float(string plain) =>
        FloatPattern().IsMatch(plain) && double.Parse(plain, NumberStyles.Float, CultureInfo.InvariantCulture) is var number
            && Math.Abs(number) <= LargestExact && Math.Truncate(number) == number ? (long)number : null;
}
