using System.Buffers;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static Calico.Bgp.Wire.Tests.Samples;

namespace Calico.Bgp.Wire.Tests;

/// <summary>What holds for every UPDATE: decoding never throws, and what is encoded comes back as it went.</summary>
[Properties(Arbitrary = [typeof(UpdatePropertyTests.Arbitraries)], MaxTest = Cases, Replay = Seed)]
public class UpdatePropertyTests
{
    /// <summary>What is announced, to a session without path identifiers and to one with them.</summary>
    public sealed record Routes(SortedDictionary<byte, byte[]> Attributes, IpFamily Family, byte[] Nlri, byte[] NlriOfPaths);

    public sealed record Disorder(SortedDictionary<byte, byte[]> Attributes, KeyValuePair<byte, byte[]>[] Shuffled);

    public sealed record Withdrawal(IpFamily Family, byte[] Nlri);

    public sealed record Damage(byte[] Canonical, int At, byte Value, int Cut);

    internal static class Arbitraries
    {
        public static Arbitrary<Routes> Announced() => (
            from attributes in AttributeSets
            from family in Gen.Elements(IpFamily.IPv4, IpFamily.IPv6)
            from nlri in Nlri(family)
            from ofPaths in Nlri(family, addPath: true)
            select new Routes(attributes, family, nlri, ofPaths)).ToArbitrary();

        public static Arbitrary<Disorder> Shuffled() => (
            from attributes in AttributeSets
            where attributes[3].Length == 4
            from shuffled in Gen.Shuffle(attributes.ToArray())
            select new Disorder(attributes, shuffled)).ToArbitrary();

        public static Arbitrary<Withdrawal> Withdrawn() => (
            from family in Gen.Elements(IpFamily.IPv4, IpFamily.IPv6)
            from nlri in Nlri(family).Resize(2000)
            select new Withdrawal(family, nlri)).ToArbitrary();

        public static Arbitrary<Damage> Damaged() => (
            from canonical in Canonical
            from at in Gen.Choose(0, canonical.Length - 1)
            from value in Gen.Choose(0, 255)
            from cut in Gen.Choose(0, canonical.Length)
            select new Damage(canonical, at, (byte)value, cut)).ToArbitrary();
    }

    private static readonly Negotiated Ordinary = Sessions.Internal with { ExtendedNextHop = true };
    private static readonly Negotiated Extended = Ordinary with { ExtendedMessages = true, AddPathReceive = FamilySet.Both };

    [Property]
    public void What_was_encoded_is_decoded_the_same(Routes routes)
    {
        foreach (var fourOctetAs in (bool[])[true, false])
        {
            ComesBack(Ordinary with { FourOctetAs = fourOctetAs }, routes.Attributes, routes.Family, routes.Nlri);
            ComesBack(Extended with { FourOctetAs = fourOctetAs }, routes.Attributes, routes.Family, routes.NlriOfPaths);
        }
    }

    private static void ComesBack(Negotiated session, SortedDictionary<byte, byte[]> attributes, IpFamily family, byte[] sent)
    {
        var context = new EncodeContext(session.FourOctetAs, session.MaxMessageLength, true, session.AddPathReceive);
        var canonical = Octets(attributes);
        var messages = Announce(context, family, canonical, sent);
        if (messages.Count == 0)
        {
            var unfit = canonical.Length > session.MaxMessageLength - 100
                || (family == IpFamily.IPv6 && attributes[3].Length == 4) || !session.FourOctetAs;
            Assert.True(unfit, "nothing was written");
            return;
        }
        var nlri = new List<byte>();
        var decoder = new UpdateDecoder(session);
        foreach (var message in messages)
        {
            Assert.True(message.Length <= session.MaxMessageLength);
            var update = decoder.Decode(message.AsSpan(19));
            Assert.Equal(Penalty.None, update.Damage.Penalty);
            var run = update.Announced.Nlri.Octets.IsEmpty ? update.MpAnnounced : update.Announced;
            Assert.Equal(Expected(attributes, session.FourOctetAs), run.Attributes.ToArray());
            Assert.Equal(Summary(run.Attributes), run.Summary);
            nlri.AddRange(run.Nlri.Octets);
        }
        Assert.Equal(sent, nlri.ToArray());
    }

    [Property]
    public void The_order_of_attributes_in_a_message_does_not_matter(Disorder sample)
    {
        var update = new UpdateDecoder(Sessions.Internal).Decode(Body([], Octets(sample.Shuffled), [0]));
        Assert.Equal(Octets(sample.Attributes), update.Announced.Attributes.ToArray());
        Assert.Equal(Summary(update.Announced.Attributes), update.Announced.Summary);
    }

    [Property]
    public void Withdrawals_come_back_as_they_went(Withdrawal sample)
    {
        var into = new ArrayBufferWriter<byte>();
        new UpdateEncoder(new(true, 4096, false, FamilySet.None)).Withdraw(sample.Family, sample.Nlri, into);
        var nlri = new List<byte>();
        foreach (var message in Split(into.WrittenSpan))
        {
            Assert.True(message.Length <= 4096);
            var update = new UpdateDecoder(Sessions.External).Decode(message.AsSpan(19));
            Assert.Null(update.Reset);
            nlri.AddRange(update.Withdrawn.Octets);
            nlri.AddRange(update.MpWithdrawn.Octets);
        }
        Assert.Equal(sample.Nlri, nlri.ToArray());
    }

    [Property]
    public void No_octets_make_the_decoder_throw(byte[] octets)
    {
        foreach (var session in Sessions.All)
        {
            new UpdateDecoder(session).Decode(octets);
            new UpdateDecoder(session).Decode(Body([], octets, [0]));
        }
    }

    [Property]
    public void No_damage_to_a_message_makes_the_decoder_throw(Damage sample)
    {
        sample.Canonical[sample.At] = sample.Value;
        foreach (var session in Sessions.All)
        {
            new UpdateDecoder(session).Decode(Body([], sample.Canonical, [0]));
            new UpdateDecoder(session).Decode(Body([], sample.Canonical.AsSpan(0, sample.Cut), [0]));
        }
    }

    // RFC 6793 4.2.3: where a sequence came in parts, the joined one is one.
    private static byte[] Expected(SortedDictionary<byte, byte[]> attributes, bool fourOctetAs)
    {
        if (fourOctetAs || !HasLongNumber(attributes[2])) return Octets(attributes);
        return Octets(new SortedDictionary<byte, byte[]>(attributes) { [2] = Joined(attributes[2]), });
    }

    private static bool HasLongNumber(byte[] path)
    {
        for (var at = 0; at < path.Length; at += 2 + 4 * path[at + 1])
            for (var i = 0; i < path[at + 1]; i++)
                if (path[at + 2 + 4 * i] != 0 || path[at + 3 + 4 * i] != 0) return true;
        return false;
    }

    private static byte[] Joined(byte[] path)
    {
        var joined = new List<byte>();
        var open = -1;
        for (var at = 0; at < path.Length; at += 2 + 4 * path[at + 1])
        {
            var joins = open >= 0 && joined[open] == 2 && path[at] == 2 && joined[open + 1] + path[at + 1] <= 255;
            if (joins) joined[open + 1] += path[at + 1];
            else
            {
                open = joined.Count;
                joined.AddRange(path.AsSpan(at, 2));
            }
            joined.AddRange(path.AsSpan(at + 2, 4 * path[at + 1]));
        }
        return [.. joined];
    }
}
