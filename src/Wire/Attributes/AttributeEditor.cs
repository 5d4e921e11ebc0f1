using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// Makes a new attribute set out of another one: what filters and the export door do with it.
/// </summary>
/// <remarks>
/// Canonical octets, the form that attribute sets have everywhere between decoder and encoder: attributes in ascending order of
/// their type, each as flags, type, length (one octet, or two with the extended-length flag where the value exceeds 255 octets),
/// value; known attributes with the flags of their RFC, unknown transitive ones with the partial bit. AS numbers have four octets
/// (AS4_PATH and AS4_AGGREGATOR are merged and gone). The next hop always stands as attribute 3 with 4 octets (IPv4),
/// 16 (IPv6) or 32 (IPv6 with link-local), whatever the family; MP_REACH_NLRI and MP_UNREACH_NLRI never occur.
/// Equal sets have equal octets.
/// </remarks>
public sealed class AttributeEditor
{
    public void Load(ReadOnlySpan<byte> canonical) => throw new NotImplementedException();
    /// <summary>An own route: origin IGP, empty path, nothing else.</summary>
    public void LoadEmpty(Origin origin) => throw new NotImplementedException();

    public void SetOrigin(Origin origin) => throw new NotImplementedException();
    public void SetNextHop(Address address, Address? linkLocal = null) => throw new NotImplementedException();
    public void SetMed(uint? med) => throw new NotImplementedException();
    public void SetLocalPref(uint? localPref) => throw new NotImplementedException();
    public void SetOtc(uint? otc) => throw new NotImplementedException();
    public void SetOriginatorId(RouterId? id) => throw new NotImplementedException();
    public void PrependClusterId(RouterId id) => throw new NotImplementedException();
    /// <summary>Prepends to the path's first sequence, opening a new segment where 255 are reached (RFC 4271 5.1.2).</summary>
    public void Prepend(Asn asn, int count = 1) => throw new NotImplementedException();
    /// <summary>Removes confederation segments, or private AS numbers, or every occurrence of one AS.</summary>
    public void RemoveFromPath(Func<Asn, bool> which) => throw new NotImplementedException();
    public void AddCommunity(Community community) => throw new NotImplementedException();
    public void AddLargeCommunity(LargeCommunity community) => throw new NotImplementedException();
    public void AddExtendedCommunity(ExtendedCommunity community) => throw new NotImplementedException();
    public void RemoveCommunities(Func<Community, bool> which) => throw new NotImplementedException();
    public void RemoveLargeCommunities(Func<LargeCommunity, bool> which) => throw new NotImplementedException();
    public void RemoveExtendedCommunities(Func<ExtendedCommunity, bool> which) => throw new NotImplementedException();
    public void Remove(AttributeType type) => throw new NotImplementedException();

    /// <summary>The edited set, valid until the next call, and its summary.</summary>
    public ReadOnlySpan<byte> Finish(out AttributeSummary summary) => throw new NotImplementedException();
}
