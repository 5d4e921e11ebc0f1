using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>Prefixes as commands and expressions write them. Bits beyond the length are an error, not ignored.</summary>
internal static class PrefixSyntax
{
    /// <summary>Reads <c>ADDRESS/LENGTH</c>.</summary>
    public static Prefix Parse(Tokens tokens)
    {
        if (tokens.Next.Kind != TokenKind.Address) tokens.Unexpected("IP4", "IP6");
        var address = tokens.Take().Address;
        return tokens.Expect("/", "'/'") ? TakeLength(tokens, address) : default;
    }

    /// <summary>Reads <c>ADDRESS/LENGTH</c>, or <c>ADDRESS</c> for the whole of it.</summary>
    public static Prefix ParsePrefixOrAddress(Tokens tokens)
    {
        if (tokens.Next.Kind != TokenKind.Address) tokens.Unexpected("IP4", "IP6", "VPN_RD", "CF_SYM_KNOWN");
        var address = tokens.Take().Address;
        return tokens.Accept("/") ? TakeLength(tokens, address) : new(address, address.Family.Bits());
    }

    /// <summary>Reads what follows the slash.</summary>
    public static Prefix TakeLength(Tokens tokens, Address address)
    {
        if (!tokens.AcceptNumber(out var length)) tokens.Unexpected("NUM");
        else if (length > address.Family.Bits()) tokens.Fail($"Invalid prefix length {length}");
        if (tokens.Error != null) return default;
        var prefix = new Prefix(address, (int)length);
        if (prefix.Address != address) tokens.Fail($"Invalid {Word(address)} prefix {address}/{length}, maybe you wanted {prefix}");
        return prefix;
    }

    private static string Word(Address address) => address.IsIPv4 ? "IPv4" : "IPv6";
}
