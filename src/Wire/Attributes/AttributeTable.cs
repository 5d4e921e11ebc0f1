namespace Calico.Bgp.Wire.Attributes;

/// <summary>Every attribute that we know, by its type code. A new one is a file and a line here.</summary>
internal static class AttributeTable
{
    private static readonly AttributeCodec?[] ByType = Index(
        new OriginCodec(), new AsPathCodec(), new NextHopCodec(), new MultiExitDiscCodec(), new LocalPrefCodec(),
        new AtomicAggregateCodec(), new AggregatorCodec(), new CommunitiesCodec(), new OriginatorIdCodec(),
        new ClusterListCodec(), new MpReachCodec(), new MpUnreachCodec(),
        new ExtendedCommunitiesCodec(), new As4PathCodec(), new As4AggregatorCodec(), new PmsiTunnelCodec(), new TunnelEncapsulationCodec(),
        new IPv6ExtendedCommunitiesCodec(), new AigpCodec(), new BgpLsCodec(), new LargeCommunitiesCodec(), new OnlyToCustomerCodec(),
        new PrefixSidCodec(), new AttrSetCodec());

    /// <summary>Null: unknown.</summary>
    public static AttributeCodec? Of(byte type) => ByType[type];

    /// <summary>The flags that a type has in canonical octets; what we do not know was transitive and is partial.</summary>
    public static AttributeFlags FlagsOf(AttributeType type) =>
        ByType[(byte)type]?.Flags ?? AttributeFlags.Optional | AttributeFlags.Transitive | AttributeFlags.Partial;

    private static AttributeCodec?[] Index(params ReadOnlySpan<AttributeCodec> codecs)
    {
        var table = new AttributeCodec?[256];
        foreach (var codec in codecs) table[(byte)codec.Type] = codec;
        return table;
    }
}
