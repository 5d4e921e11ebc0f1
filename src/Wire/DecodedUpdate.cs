using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire;

/// <summary>Prefixes of one family inside an UPDATE: NLRI octets that are known to be well-formed (RFC 4271 4.3, RFC 7911 3).</summary>
/// <remarks>Host bits may be set and are to be ignored. With ADD-PATH each prefix is preceded by its 4-octet identifier.</remarks>
public readonly ref struct NlriRun
{
    public IpFamily Family { get; init; }
    public bool AddPath { get; init; }
    public ReadOnlySpan<byte> Octets { get; init; }
}

/// <summary>Prefixes that share one attribute set.</summary>
public ref struct AnnouncedRun
{
    public NlriRun Nlri;
    /// <summary>The canonical octets (see <see cref="AttributeEditor"/>).</summary>
    public ReadOnlySpan<byte> Attributes;
    public AttributeSummary Summary;
}

/// <summary>What an UPDATE says. Spans live until the decoder's next call or the message's octets go.</summary>
public ref struct DecodedUpdate
{
    /// <summary>The worst damage found. With <see cref="Penalty.TreatAsWithdraw"/> the announced prefixes stand among the withdrawn
    /// ones already; with <see cref="Penalty.SessionReset"/> nothing else is set but <see cref="Reset"/>.</summary>
    public Damage Damage;
    public Notification? Reset;
    /// <summary>From the field of that name, from MP_UNREACH_NLRI, and (treat-as-withdraw) the announced ones. Empty runs have no
    /// octets.</summary>
    public NlriRun Withdrawn, MpWithdrawn, Damaged, MpDamaged;
    /// <summary>From the NLRI field, and from MP_REACH_NLRI.</summary>
    public AnnouncedRun Announced, MpAnnounced;
    /// <summary>Announced prefixes that nobody may announce: they are passed over; one of them, and how many of each family (IPv4,
    /// IPv6).</summary>
    public Prefix Martian;
    public (int IPv4, int IPv6) Martians;
    /// <summary>End-of-RIB of this family (RFC 4724 section 2).</summary>
    public IpFamily? EndOfRib;
}
