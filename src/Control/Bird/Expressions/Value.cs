using System.Globalization;
using Calico.Bgp.Control.Bird.Rendering;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>The types of BIRD's filter language, as far as a query meets them.</summary>
internal enum ValueKind : byte
{
    /// <summary>The route has no such attribute.</summary>
    Void,
    /// <summary>The operands do not go together; whatever is made of it is an error too, and the route is not shown.</summary>
    Error,
    Bool, Int, Pair, Quad, Ip, Prefix, Text, Extended, Large, Path, PathMask, Communities, ExtendedCommunities, LargeCommunities, Set,
    Source, Destination, Origin, NetType, Scope,
    /// <summary>An attribute that can only be asked for with <c>defined()</c>.</summary>
    Opaque,
}

internal static class ValueKinds
{
    /// <summary>As BIRD's complaints name the type.</summary>
    public static string Word(this ValueKind kind) => kind switch
    {
        ValueKind.Bool => "bool",
        ValueKind.Int => "int",
        ValueKind.Pair => "pair",
        ValueKind.Quad => "quad",
        ValueKind.Ip => "ip",
        ValueKind.Prefix => "prefix",
        ValueKind.Text => "string",
        ValueKind.Extended => "ec",
        ValueKind.Large => "lc",
        ValueKind.Path => "bgppath",
        ValueKind.PathMask => "bgpmask",
        ValueKind.Communities => "clist",
        ValueKind.ExtendedCommunities => "eclist",
        ValueKind.LargeCommunities => "lclist",
        ValueKind.Set => "set",
        ValueKind.Source => "enum rts",
        ValueKind.Destination => "enum rtd",
        ValueKind.Origin => "enum bgp_origin",
        ValueKind.NetType => "enum nettype",
        ValueKind.Scope => "enum scope",
        _ => "?",
    };

    public static bool IsEnum(this ValueKind kind) => kind is >= ValueKind.Source and <= ValueKind.Scope;

    /// <summary>Types whose values are ordered and may stand in a range.</summary>
    public static bool IsOrdered(this ValueKind kind) =>
        kind is ValueKind.Int or ValueKind.Pair or ValueKind.Quad or ValueKind.Ip or ValueKind.Extended or ValueKind.Large || kind.IsEnum();
}

/// <summary>A value: everything that has an order is in <paramref name="Bits"/>, the rest in <paramref name="Object"/>.</summary>
internal readonly record struct Value(ValueKind Kind, UInt128 Bits, object? Object = null)
{
    public static readonly Value Void = new(ValueKind.Void, 0);
    public static readonly Value Error = new(ValueKind.Error, 0);
    public static readonly Value True = new(ValueKind.Bool, 1);
    public static readonly Value False = new(ValueKind.Bool, 0);

    public static Value Of(bool value) => value ? True : False;
    public static Value Of(uint value) => new(ValueKind.Int, value);
    public static Value Of(string value) => new(ValueKind.Text, 0, value);
    public static Value Of(Address value) => new(ValueKind.Ip, value.IsIPv4 ? value.IPv4Bits : value.Bits, value.Family);
    public static Value Of(Prefix value) => new(ValueKind.Prefix, 0, value);

    public bool IsTrue => Kind == ValueKind.Bool && Bits == 1;
    public bool Fails => Kind == ValueKind.Error;
    public uint Number => (uint)Bits;
    public Prefix Prefix => (Prefix)Object!;
    public string Text => (string)Object!;
    public Address Address => (IpFamily)Object! == IpFamily.IPv4 ? Address.FromIPv4((uint)Bits) : new(Bits, IpFamily.IPv6);
    public IReadOnlyList<PathSegment> Path => (IReadOnlyList<PathSegment>)Object!;
    public PathMask Mask => (PathMask)Object!;
    public ValueSet Set => (ValueSet)Object!;
    /// <summary>The members of one of the three kinds of community lists.</summary>
    public IReadOnlyList<UInt128> Members => (IReadOnlyList<UInt128>)Object!;

    /// <summary>A quad and an IPv4 address may be the same; values of other different types never are.</summary>
    public bool SameAs(Value other)
    {
        if (Kind is ValueKind.Quad or ValueKind.Ip && other.Kind is ValueKind.Quad or ValueKind.Ip)
            return Bits == other.Bits && (Kind == ValueKind.Quad || other.Kind == ValueKind.Quad || Equals(Object, other.Object));
        if (Kind != other.Kind) return false;
        return Kind switch
        {
            ValueKind.Path => PathSegment.Text(Path) == PathSegment.Text(other.Path),
            ValueKind.Communities or ValueKind.ExtendedCommunities or ValueKind.LargeCommunities => Members.SequenceEqual(other.Members),
            _ => Bits == other.Bits && Equals(Object, other.Object),
        };
    }

    /// <summary>As <c>eval</c> prints it.</summary>
    public override string ToString() => Kind switch
    {
        ValueKind.Bool => IsTrue ? "TRUE" : "FALSE",
        ValueKind.Int => Number.ToString(CultureInfo.InvariantCulture),
        ValueKind.Pair => CommunityText.Of(Number),
        ValueKind.Quad => Address.FromIPv4(Number).ToString(),
        ValueKind.Ip => Address.ToString(),
        ValueKind.Prefix => Prefix.ToString(),
        ValueKind.Text => Text,
        ValueKind.Extended => CommunityText.OfExtended((ulong)Bits),
        ValueKind.Large => CommunityText.Of(new LargeCommunity((uint)(Bits >> 64), (uint)(Bits >> 32), (uint)Bits)),
        ValueKind.Path => PathSegment.Text(Path),
        ValueKind.PathMask or ValueKind.Set => Object!.ToString()!,
        _ when Kind.IsEnum() => $"(enum {EnumNumber(Kind)}){Number}",
        _ => "(void)",
    };

    /// <summary>BIRD's numbers of the enumerations, hexadecimal as it prints them.</summary>
    private static string EnumNumber(ValueKind kind) => kind switch
    {
        ValueKind.Source => "30",
        ValueKind.Origin => "31",
        ValueKind.Scope => "32",
        ValueKind.Destination => "34",
        _ => "36",
    };
}
