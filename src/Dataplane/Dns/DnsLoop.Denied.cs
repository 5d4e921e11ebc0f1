using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Nfqueue;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>
/// Packets that policy denies, of endpoints with rules by names (<see cref="DnsMode.DenyDelay"/>). One waits where a response has come
/// that opens its destination and the kernel does not have it yet; then, as at the deadline, it meets policy again, with a mark by which
/// it does not wait twice. All others do so at once: queues tell packets in the order in which they came, so the response that somebody
/// follows has been read before.
/// </summary>
internal sealed partial class DnsLoop
{
    private readonly record struct Wish(string Endpoint, Address Address);

    /// <summary>What is on its way to the kernel, and with what; some of these may be there by now.</summary>
    private readonly Dictionary<Wish, DnsBatch> coming = [];
    /// <summary>Nothing comes for them.</summary>
    private readonly List<QueueTicket> judged = [];
    private long delayed;

    private void ReadDenied(in QueuedPacket packet)
    {
        if (EndpointOf(packet, isResponse: false) is { } endpoint && DestinationOf(packet.Octets) is { } address
            && coming.TryGetValue(new(cache.Settings.Isolation == DnsIsolation.Node ? "" : endpoint, address), out var wanted)
            && wanted.Wait(packet.Ticket)) delayed++;
        else judged.Add(packet.Ticket);
    }

    /// <summary>Null: it is no packet of IP.</summary>
    private static Address? DestinationOf(ReadOnlySpan<byte> octets) => octets.IsEmpty ? null : (octets[0] >> 4) switch
    {
        4 when octets.Length >= 20 => Address.FromOctets(octets[16..20]),
        6 when octets.Length >= 40 => Address.FromOctets(octets[24..40]),
        _ => null,
    };

    private void Judge()
    {
        if (judged.Count > 0) queues!.Decide(QueueVerdict.Repeat, CollectionsMarshal.AsSpan(judged));
        judged.Clear();
    }

    private void Expect(DnsBatch batch)
    {
        foreach (var opening in batch.Openings) coming[new(opening.Endpoint, opening.Address)] = batch;
    }

    /// <summary>What is in force nobody waits for.</summary>
    private void Arrived(DnsBatch batch)
    {
        foreach (var opening in batch.Openings)
            if (coming.TryGetValue(new(opening.Endpoint, opening.Address), out var last) && last == batch)
                coming.Remove(new(opening.Endpoint, opening.Address));
    }

    /// <summary>Nor for what the kernel has refused, or was too late with.</summary>
    private void SweepComing()
    {
        foreach (var (wish, batch) in coming)
            if (batch.IsOver) coming.Remove(wish);
    }
}
