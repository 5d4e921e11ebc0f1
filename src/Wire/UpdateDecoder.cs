using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Wire;

/// <summary>
/// Decodes the UPDATE messages of one session (RFC 4271 section 4.3, RFC 4760), with the revised error handling of RFC 7606:
/// the worst damage decides, and only where the prefixes themselves cannot be told does it end the session.
/// Holds scratch space, so it belongs to one reader.
/// </summary>
/// <remarks>No allocation, and where the block of attributes is canonical already, no copy: the usual message costs one walk.</remarks>
public sealed class UpdateDecoder(Negotiated negotiated)
{
    private static readonly AttributeCodec NextHop = AttributeTable.Of((byte)AttributeType.NextHop)!;
    private static readonly AttributeCodec MpReach = AttributeTable.Of((byte)AttributeType.MpReachNlri)!;
    private static readonly AttributeCodec MpUnreach = AttributeTable.Of((byte)AttributeType.MpUnreachNlri)!;

    private readonly AttributeBlock block = new(negotiated);
    private readonly OldSpeaker old = new();
    private byte[] classic = [];
    private byte[] classicNlri = [], multiprotocolNlri = [];
    private byte[] multiprotocol = [];

    //  +------------------------+------------------+
    //  | Withdrawn length (16)  | Withdrawn routes |
    //  +------------------------+------------------+
    //  | Attributes length (16) | Path attributes  |
    //  +------------------------+------------------+
    //  | NLRI (the rest)                           |
    //  +-------------------------------------------+
    /// <param name="body">The message after its header.</param>
    public DecodedUpdate Decode(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var withdrawn = reader.Take(reader.U16());
        var attributes = reader.Take(reader.U16());
        if (reader.Overrun)
            return Reset(UpdateError.MalformedAttributeList, "the lengths in an UPDATE stay inside it (RFC 4271 section 6.3)");
        var nlri = reader.Rest();
        if (body.Length == 4) return new() { EndOfRib = negotiated.Families.Has(IpFamily.IPv4) ? IpFamily.IPv4 : null };

        var update = new DecodedUpdate();
        var (suspect, mpSuspect) = (false, false);
        block.Read(attributes);
        if (!negotiated.FourOctetAs) old.Read(block, attributes);
        if (negotiated.Families.Has(IpFamily.IPv4))
        {
            update.Withdrawn = Run(IpFamily.IPv4, withdrawn);
            update.Announced.Nlri = Run(IpFamily.IPv4, nlri);
            if (!Nlri.IsSound(update.Withdrawn, out _) || !Nlri.IsSound(update.Announced.Nlri, out suspect))
                return Reset(UpdateError.InvalidNetworkField, "prefixes are whole and fit their family (RFC 7606 section 5.3)");
        }
        ReadUnreach(ref update, attributes);
        var mpNextHop = ReadReach(ref update, attributes, out var mpReachable, out mpSuspect);
        var reachable = mpReachable || !nlri.IsEmpty;
        var nextHop = reachable ? ReadRoute(attributes, !nlri.IsEmpty) : default;
        var penalty = block.Worst.Penalty;
        // RFC 7606 section 5.2: attributes without a reachable prefix may have lost it to the damage.
        if (penalty == Penalty.TreatAsWithdraw && !reachable && block.HasRouteAttributes) penalty = Penalty.SessionReset;
        if (penalty == Penalty.SessionReset) return Reset(attributes);
        if (penalty != Penalty.None) update.Damage = block.Worst.Damage(attributes);
        if (penalty == Penalty.TreatAsWithdraw) Withdraw(ref update);
        else
        {
            if (suspect | mpSuspect) PassOverMartians(ref update);
            Announce(ref update, attributes, nextHop, mpNextHop);
        }
        return update;
    }

    private void PassOverMartians(scoped ref DecodedUpdate update)
    {
        update.Announced.Nlri = Nlri.WithoutMartians(update.Announced.Nlri, ref classicNlri, out var classicCount, ref update.Martian);
        update.MpAnnounced.Nlri = Nlri.WithoutMartians(update.MpAnnounced.Nlri, ref multiprotocolNlri, out var mpCount, ref update.Martian);
        update.Martians = update.MpAnnounced.Nlri.Family == IpFamily.IPv6 ? (classicCount, mpCount) : (classicCount + mpCount, 0);
    }

    private NlriRun Run(IpFamily family, ReadOnlySpan<byte> octets) =>
        new() { Family = family, AddPath = negotiated.AddPathReceive.Has(family), Octets = octets };

    /// <summary>A family that both sides want; others are passed over (RFC 4760 section 7 would also allow to end the session).</summary>
    private bool TryOurs(Family family, out IpFamily ours) => family.TryUnicast(out ours) && negotiated.Families.Has(ours);

    private void ReadUnreach(scoped ref DecodedUpdate update, ReadOnlySpan<byte> attributes)
    {
        var slot = block.Later(AttributeType.MpUnreachNlri);
        if (!slot.IsThere) return;
        // Wrong flags would have its routes withdrawn (RFC 7606 section 3 c), which it does itself.
        var whole = MpUnreachCodec.TrySplit(slot.Value(attributes), out var family, out var nlri);
        if (whole && !TryOurs(family, out _)) return;
        family.TryUnicast(out var ours);
        update.MpWithdrawn = Run(ours, nlri);
        if (!whole || !Nlri.IsSound(update.MpWithdrawn, out _)) block.Blame(slot, Penalty.SessionReset, MpUnreach.Subcode, MpUnreach.Rule);
        else if (IsAlone(in update)) update.EndOfRib = ours;
    }

    // RFC 4724 section 2.
    private bool IsAlone(in DecodedUpdate update) =>
        !block.HasRouteAttributes && update.MpWithdrawn.Octets.IsEmpty
        && update.Withdrawn.Octets.IsEmpty && update.Announced.Nlri.Octets.IsEmpty;

    /// <summary>The next hop's octets as they are kept; empty where there is nothing announced.</summary>
    private ReadOnlySpan<byte> ReadReach(
        scoped ref DecodedUpdate update, ReadOnlySpan<byte> attributes, out bool reachable, out bool suspect)
    {
        var slot = block.Later(AttributeType.MpReachNlri);
        reachable = suspect = false;
        if (!slot.IsThere) return default;
        var whole = MpReachCodec.TrySplit(slot.Value(attributes), out var family, out var nextHop, out var nlri);
        reachable = !nlri.IsEmpty;
        if (whole && !TryOurs(family, out _)) return default;
        family.TryUnicast(out var ours);
        update.MpAnnounced.Nlri = Run(ours, nlri);
        if (!whole || !IsNextHopLength(ours, nextHop.Length) || !Nlri.IsSound(update.MpAnnounced.Nlri, out suspect))
        {
            block.Blame(slot, Penalty.SessionReset, MpReach.Subcode, MpReach.Rule);
            return default;
        }
        if (block.AreFlagsRight(MpReach, slot) && reachable && !TryNextHop(ref nextHop))
            block.Blame(slot, Penalty.TreatAsWithdraw, MpReach.Subcode, "the next hop in MP_REACH_NLRI is a unicast address");
        return nextHop;
    }

    // RFC 2545 section 3, RFC 8950 section 3.
    private bool IsNextHopLength(IpFamily family, int length) => length switch
    {
        16 or 32 => family == IpFamily.IPv6 || negotiated.ExtendedNextHop,
        4 => family == IpFamily.IPv4,
        _ => false,
    };

    // On a link without global addresses some send :: before the link-local one (BIRD), some put the link-local one in both places (FRR).
    // Whoever reads on finds 16 octets in each case: the only address there is. A neighbour whom we know by a link-local address need share
    // no other subnet with us: of two addresses that is the one by which he is reached.
    private bool TryNextHop(ref ReadOnlySpan<byte> nextHop)
    {
        if (nextHop.Length < 32) return NextHopCodec.IsUnicast(nextHop);
        var global = nextHop[..16];
        var local = nextHop[16..];
        if (!NextHopCodec.IsLinkLocal(local)) nextHop = global;
        else if (negotiated.PeerAddress.IsLinkLocal || NextHopCodec.IsLinkLocal(global) || !global.ContainsAnyExcept((byte)0))
            nextHop = local;
        return NextHopCodec.IsUnicast(nextHop[..16]);
    }

    /// <summary>What only routes need: the mandatory attributes, the first AS, and the next hop of the NLRI field.</summary>
    private ReadOnlySpan<byte> ReadRoute(ReadOnlySpan<byte> attributes, bool classicRoutes)
    {
        Require(AttributeType.Origin);
        Require(AttributeType.AsPath);
        CheckFirstAs();
        if (!classicRoutes) return default;
        Require(AttributeType.NextHop);
        var slot = block.Later(AttributeType.NextHop);
        if (!slot.IsThere || !block.AreFlagsRight(NextHop, slot)) return default;
        var value = slot.Value(attributes);
        block.IsSound(NextHop, slot, value);
        return value;
    }

    // RFC 7606 section 3 d.
    private void Require(AttributeType type)
    {
        if (block.Has(type)) return;
        block.Blame(new(Penalty.TreatAsWithdraw, type, UpdateError.MissingWellKnown, 0, 0,
            "routes have ORIGIN, AS_PATH and NEXT_HOP (RFC 7606 section 3 d)"));
    }

    // RFC 4271 section 6.3 leaves the check to us; RFC 7606 section 7.2 says what it costs.
    private void CheckFirstAs()
    {
        if (negotiated.Internal || !negotiated.EnforceFirstAs || block.LeftmostAs == negotiated.PeerAs.Value) return;
        block.Blame(new(Penalty.TreatAsWithdraw, AttributeType.AsPath, UpdateError.MalformedAsPath, 0, 0,
            "an external path starts with the peer's AS (RFC 4271 section 6.3)"));
    }

    private void Announce(
        scoped ref DecodedUpdate update, ReadOnlySpan<byte> attributes, ReadOnlySpan<byte> nextHop, ReadOnlySpan<byte> mpNextHop)
    {
        if (!update.Announced.Nlri.Octets.IsEmpty)
        {
            var canonical = block.IsCanonical ? attributes : block.Kept.Compose(attributes, old.Side, nextHop, ref classic);
            Fill(ref update.Announced, canonical, nextHop);
        }
        if (!update.MpAnnounced.Nlri.Octets.IsEmpty)
            Fill(ref update.MpAnnounced, block.Kept.Compose(attributes, old.Side, mpNextHop, ref multiprotocol), mpNextHop);
    }

    private void Fill(scoped ref AnnouncedRun run, ReadOnlySpan<byte> canonical, ReadOnlySpan<byte> nextHop)
    {
        run.Attributes = canonical;
        run.Summary = block.Summary;
        NextHopCodec.Note(nextHop, ref run.Summary);
    }

    private static void Withdraw(scoped ref DecodedUpdate update)
    {
        update.Damaged = update.Announced.Nlri;
        update.MpDamaged = update.MpAnnounced.Nlri;
        update.Announced = default;
        update.MpAnnounced = default;
    }

    private DecodedUpdate Reset(ReadOnlySpan<byte> attributes) => new()
    {
        Damage = block.Worst.Damage(attributes) with { Penalty = Penalty.SessionReset },
        Reset = block.Worst.Notification(attributes),
    };

    private static DecodedUpdate Reset(byte subcode, string rule) => new()
    {
        Damage = new(Penalty.SessionReset, AttributeType.None, rule),
        Reset = new(ErrorCode.UpdateMessage, subcode),
    };
}
