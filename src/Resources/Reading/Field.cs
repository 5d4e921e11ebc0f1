using System.Globalization;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Resources.Reading;

/// <summary>
/// One field's value, or its absence. Each reading method gives null for an absent field, and null after saying what was expected and what
/// came for one that is wrong; the object is refused then, so the caller need not ask which.
/// </summary>
internal readonly struct Field(DocumentNode? node, FieldPath? within, string name, int line, Findings findings, int index = -1)
{
    private readonly DocumentNode? node = node is ScalarNode { IsNull: true } ? null : node;

    public bool IsAbsent => node == null;
    public bool IsEmptyList => node is SequenceNode { Items.Count: 0 };

    public void Error(string reason) => findings.Error(Path.ToString(), node?.Line ?? line, reason);
    public void Warn(string reason) => findings.Warn(Path.ToString(), node?.Line ?? line, reason);

    /// <summary>The value, of which <c>null</c> must not be; what <paramref name="what"/> was expected.</summary>
    public void Require(string what)
    {
        if (IsAbsent) Error($"expected {what}, got nothing");
    }

    public string? Text()
    {
        if (node == null) return null;
        if (node is ScalarNode { Tag: null } scalar) return scalar.Text;
        return Expected("a word");
    }

    /// <summary>As <see cref="Text"/>; an empty text counts as absent, as in Go's omitempty.</summary>
    public string? Word() => Text() is { Length: > 0 } text ? text : null;

    public string? Word(int limit)
    {
        var text = Word();
        if (text?.Length > limit) return Expected($"at most {limit} characters");
        return text;
    }

    public bool? Flag()
    {
        if (node == null) return null;
        if (node is ScalarNode { Plain: true } scalar && Truth(scalar.Text) is { } truth) return truth;
        Expected("true or false");
        return null;
    }

    /// <summary>A truth value, or one written as a string.</summary>
    public bool? LooseFlag() => node is ScalarNode { Plain: false, Text: "true" or "false" } text ? text.Text == "true" : Flag();

    // YAML 1.1's words, as kubectl reads them.
    private static bool? Truth(string text) => text switch
    {
        "true" or "True" or "TRUE" or "y" or "Y" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" => true,
        "false" or "False" or "FALSE" or "n" or "N" or "no" or "No" or "NO" or "off" or "Off" or "OFF" => false,
        _ => null,
    };

    public int? Number(int from, int to)
    {
        if (node == null) return null;
        if (node is ScalarNode { Plain: true } scalar && PlainNumber.Integer(scalar.Text) is { } number && number >= from && number <= to)
            return (int)number;
        Expected(string.Create(CultureInfo.InvariantCulture, $"a number from {from} to {to}"));
        return null;
    }

    public double? Real()
    {
        if (node == null) return null;
        if (node is ScalarNode { Plain: true } scalar && PlainNumber.Real(scalar.Text) is { } number) return number;
        Expected("a number");
        return null;
    }

    public T? Choice<T>() where T : struct, Enum
    {
        if (Word() is not { } word) return null;
        if (Choices<T>.ByWord.TryGetValue(word, out var value)) return value;
        Expected(Choices<T>.Words);
        return null;
    }

    public Address? Address(IpFamily? family = null)
    {
        if (Word() is not { } word) return null;
        if (Net.Address.TryParse(word, out var address) && (family ?? address.Family) == address.Family) return address;
        Expected(family switch { null => "an IP address", IpFamily.IPv4 => "an IPv4 address", _ => "an IPv6 address" });
        return null;
    }

    /// <summary>As libcalico-go's <c>net</c> judges: a network written as it is, with no bits behind its length.</summary>
    public Prefix? MaskedNetwork() => Masked(Network());

    private Prefix? Masked(Prefix? network)
    {
        if (network is not { } prefix) return null;
        var text = Word()!;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || (Net.Address.TryParse(text.AsSpan(0, slash), out var address) && address == prefix.Address)) return prefix;
        Expected($"{prefix} (no bits behind the length)");
        return null;
    }

    /// <summary>A CIDR, or an address alone, which is its own network.</summary>
    public Prefix? Network()
    {
        if (Word() is not { } word) return null;
        if (Prefix.TryParse(word, out var prefix)) return prefix;
        if (Net.Address.TryParse(word, out var address)) return new Prefix(address, address.Family.Bits());
        Expected("a network such as 192.0.2.0/24");
        return null;
    }

    /// <summary>As libcalico-go's <c>netv4</c> and <c>netv6</c> judge.</summary>
    public Prefix? MaskedCidr(IpFamily family)
    {
        if (Word() is not { } word) return null;
        if (Prefix.TryParse(word, out var prefix) && prefix.Family == family) return Masked(prefix);
        Expected(family == IpFamily.IPv6 ? "an IPv6 network such as 2001:db8::/64" : "a network such as 192.0.2.0/24");
        return null;
    }

    public InterfaceAddress? InterfaceAddress(IpFamily family)
    {
        if (Word() is not { } word) return null;
        if (NodeReader.TryParse(word, family, out var address)) return address;
        Expected($"an {(family == IpFamily.IPv4 ? "IPv4" : "IPv6")} address, with or without the length of its network");
        return null;
    }

    /// <summary>numorstring.ASNumber: a number without quotes is one of YAML's, in which <c>1.10</c> is a fraction.</summary>
    public Asn? Asn()
    {
        if (node is ScalarNode { Plain: true } plain)
        {
            if (PlainNumber.Integer(plain.Text) is >= 0 and <= uint.MaxValue and var number) return new((uint)number);
            Expected("an AS number (0 to 4294967295, or in quotes two parts of 16 bits with a dot)");
            return null;
        }
        if (Word() is not { } word) return null;
        if (Net.Asn.TryParse(word, out var asn)) return asn;
        Expected("an AS number (0 to 4294967295, or two parts of 16 bits with a dot)");
        return null;
    }

    public CommunityValue? Community()
    {
        if (Word() is not { } word) return null;
        if (CommunityValue.TryParse(word, out var value)) return value;
        Expected("a community aa:nn (16 bits each) or aa:nn:mm (32 bits each)");
        return null;
    }

    /// <param name="least">Of what is not zero.</param>
    public TimeSpan? Duration(TimeSpan least = default)
    {
        if (Word() is not { } word) return null;
        if (GoDuration.TryParse(word, out var duration) && (duration == TimeSpan.Zero || duration >= least)) return duration;
        Expected("a duration such as 10s or 1m30s" + (least == default ? "" : $", 0 or at least {least.TotalSeconds:0}s"));
        return null;
    }

    public Selector? Selector(int limit = int.MaxValue)
    {
        if (Word(limit) is not { } word) return null;
        if (Resources.Selector.TryParse(word, out var selector, out var error)) return selector;
        Error(error);
        return null;
    }

    public Fields Section()
    {
        if (node is not null and not MappingNode) Expected("a mapping");
        return new(node as MappingNode, Path, findings);
    }

    public Labels Labels()
    {
        if (node == null) return Resources.Labels.Empty;
        return Resources.Labels.From(Section().All.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.LabelText())));
    }

    /// <summary>As kubectl sends it: YAML 1.1 takes an unquoted <c>yes</c> for a truth, and the API spells truths <c>true</c>.</summary>
    public string LabelText() =>
        node is ScalarNode { Plain: true } scalar && Truth(scalar.Text) is { } truth ? truth ? "true" : "false" : Text() ?? "";

    /// <summary>The list's items as fields of their own; an absent list has none.</summary>
    public IEnumerable<Field> Items(int limit = int.MaxValue)
    {
        if (node == null) return [];
        if (node is not SequenceNode sequence) { Expected("a list"); return []; }
        if (sequence.Items.Count > limit) { Error($"expected at most {limit} entries, got {sequence.Items.Count}"); return []; }
        var (path, found, at) = (Path, findings, node.Line);
        return sequence.Items.Select((item, place) => new Field(item, path, "", at, found, place));
    }

    public ListOf<T> List<T>(Func<Field, T?> read, int limit = int.MaxValue) where T : class
    {
        if (node == null) return [];
        return [.. Items(limit).Select(read).Where(item => item != null).Select(item => item!)];
    }

    public ListOf<T> Values<T>(Func<Field, T?> read, int limit = int.MaxValue) where T : struct
    {
        if (node == null) return [];
        return [.. Items(limit).Select(read).Where(item => item != null).Select(item => item!.Value)];
    }

    /// <summary>
    /// A part that is left out where something in it is wrong, while the rest of the object counts: then null, and each mistake is a
    /// warning that says so.
    /// </summary>
    /// <param name="consequence">What becomes of it then.</param>
    public T? OrNothing<T>(Func<Field, T?> read, string consequence) where T : class
    {
        var own = new Findings();
        var value = read(new Field(node, within, name, line, own, index));
        own.MoveTo(findings, consequence);
        return own.HasErrors ? null : value;
    }

    private FieldPath Path => new(within, name, index);

    private string? Expected(string what)
    {
        Error($"expected {what}, got {node?.Kind ?? "nothing"}");
        return null;
    }
}

/// <summary>The words of an enumeration, exactly as Calico and Kubernetes write them. The empty set of flags has none.</summary>
internal static class Choices<T> where T : struct, Enum
{
    public static readonly Dictionary<string, T> ByWord = Enum.GetValues<T>()
        .Where(value => !typeof(T).IsDefined(typeof(FlagsAttribute), inherit: false) || !value.Equals(default(T)))
        .ToDictionary(value => value.ToString(), value => value, StringComparer.Ordinal);

    public static readonly string Words = string.Join(", ", ByWord.Keys);
}
