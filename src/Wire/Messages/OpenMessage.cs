using Calico.Bgp.Net;
using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Wire.Messages;

/// <summary>OPEN (RFC 4271 section 4.2).</summary>
/// <param name="HoldTime">Seconds.</param>
public sealed record OpenMessage(Asn MyAs, ushort HoldTime, RouterId Identifier, CapabilitySet Capabilities);
