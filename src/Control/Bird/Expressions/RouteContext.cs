using System.Buffers.Binary;
using Calico.Bgp.Control.Bird.Rendering;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>The route that an expression looks at, and what is known around it. One serves a whole query, route after route.</summary>
internal sealed class RouteContext(Conversation? with)
{
    public static readonly RouteContext None = new(null);

    /// <summary>Null while constants are evaluated.</summary>
    public RouteView? Route { get; private set; }

    public RouteContext At(RouteView route)
    {
        Route = route;
        return this;
    }

    public string Interface => FirstHop is { } hop && with != null ? with.InterfaceOf(hop) : "";

    public RouteHop? FirstHop => Route!.Hops is [var hop, ..] && Route.Type == RouteType.Unicast ? hop : null;

    /// <summary>The kernel's own record of a route that was learned from it.</summary>
    public ForeignRoute? Foreign => Route!.Origin == RouteOrigin.Kernel ? with?.ForeignRoute(Route.Prefix) : null;

    public bool Has(AttributeType type) => TryGet(type, out _);

    public Value Number(AttributeType type) =>
        TryGet(type, out var value) ? Value.Of(BinaryPrimitives.ReadUInt32BigEndian(value)) : Value.Void;

    public Value Quad(AttributeType type) =>
        TryGet(type, out var value) ? new Value(ValueKind.Quad, BinaryPrimitives.ReadUInt32BigEndian(value)) : Value.Void;

    public Value NextHop() =>
        TryGet(AttributeType.NextHop, out var value) ? Value.Of(Address.FromOctets(value.Length == 32 ? value[..16] : value)) : Value.Void;

    public Value Path() => TryGet(AttributeType.AsPath, out var value) ? new Value(ValueKind.Path, 0, PathSegment.Read(value)) : Value.Void;

    /// <summary>A list of communities of 4, 8 or 12 octets.</summary>
    public Value List(AttributeType type, ValueKind kind, int size)
    {
        if (!TryGet(type, out var value)) return Value.Void;
        var members = new List<UInt128>(value.Length / size);
        for (; value.Length >= size; value = value[size..])
        {
            UInt128 bits = 0;
            foreach (var octet in value[..size]) bits = bits << 8 | octet;
            members.Add(bits);
        }
        return new(kind, 0, members);
    }

    private bool TryGet(AttributeType type, out ReadOnlySpan<byte> value) =>
        new AttributeView(Route!.Attributes.Span).TryGet(type, out value);
}
