using System.Buffers;
using Calico.Bgp.Net;

namespace Calico.Bgp.Wire;

/// <summary>What encoding depends on: members of one export group share it.</summary>
public readonly record struct EncodeContext(bool FourOctetAs, int MaxMessageLength, bool ExtendedNextHop, FamilySet AddPath);

/// <summary>Encodes UPDATE messages, whole ones only, splitting the prefixes over as many as they need.</summary>
public sealed class UpdateEncoder(EncodeContext context)
{
    /// <param name="attributes">Canonical octets as they are to leave (the export door has done its work).</param>
    /// <param name="nlri">NLRI octets of any number of prefixes, each with its path id where ADD-PATH was negotiated.</param>
    /// <returns>False, and nothing written, where the attributes alone do not fit a message (the caller logs and withholds the routes).</returns>
    public bool Announce(IpFamily family, ReadOnlySpan<byte> attributes, ReadOnlySpan<byte> nlri, IBufferWriter<byte> into) =>
        throw new NotImplementedException(context.ToString());

    public void Withdraw(IpFamily family, ReadOnlySpan<byte> nlri, IBufferWriter<byte> into) => throw new NotImplementedException();

    public void EndOfRib(IpFamily family, IBufferWriter<byte> into) => throw new NotImplementedException();
}
