using ARSoft.Tools.Net.Dns;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using Theirs = ARSoft.Tools.Net.Dns.DnsMessage;

namespace Calico.Bgp.Dataplane.Tests.Dns;

/// <summary>Our reader beside ARSoft.Tools.Net's, which shares no code with it.</summary>
public class DnsOracleTests
{
    private static readonly string[] Words = ["www", "Example", "org", "a", "cdn-1", "_x"];

    /// <summary>One of many shapes: names in any case, whole or ending in a pointer to an earlier one, records of any kind.</summary>
    private sealed class Author(int seed)
    {
        private readonly Random random = new(seed);
        private readonly List<byte> octets = [];
        /// <summary>Where names begin that others may end in, and how long they are.</summary>
        private readonly List<(int At, int Length)> names = [];

        public byte[] Message()
        {
            var answers = random.Next(6);
            var flags = (byte)(random.Next(2) == 0 ? 0x81 : 0x83);
            octets.AddRange([(byte)random.Next(256), 7, flags, 0x80, 0, 1, 0, (byte)answers, 0, 0, 0, 0]);
            Name();
            octets.AddRange([0, (byte)(random.Next(2) == 0 ? 1 : 28), 0, 1]);
            for (var answer = 0; answer < answers; answer++) Record();
            return [.. octets];
        }

        private void Name()
        {
            var own = new List<int>();
            for (var labels = random.Next(4); labels > 0; labels--)
            {
                own.Add(octets.Count);
                var word = Words[random.Next(Words.Length)];
                octets.Add((byte)word.Length);
                octets.AddRange(word.Select(letter => (byte)letter));
            }
            var (end, tail) = (octets.Count, 0);
            var earlier = names.Where(name => name.Length <= 100).ToArray();
            if (earlier.Length > 0 && random.Next(2) == 0)
            {
                (var target, tail) = earlier[random.Next(earlier.Length)];
                octets.AddRange([(byte)(0xc0 | target >> 8), (byte)target]);
            }
            else octets.Add(0);
            names.AddRange(own.Select(at => (at, end - at + tail)));
        }

        private void Record()
        {
            Name();
            var type = random.Next(4) switch { 0 => DnsType.A, 1 => DnsType.Aaaa, 2 => DnsType.Cname, _ => (ushort)999 };
            octets.AddRange([.. Messages.U16(type), 0, 1, .. Messages.U16(random.Next(65536)), .. Messages.U16(random.Next(65536)), 0, 0]);
            var data = octets.Count;
            var length = type switch { DnsType.A => 4, DnsType.Aaaa => 16, _ => random.Next(9) };
            if (type == DnsType.Cname) Name();
            else octets.AddRange(Enumerable.Range(0, length).Select(_ => (byte)random.Next(256)));
            (octets[data - 2], octets[data - 1]) = ((byte)((octets.Count - data) >> 8), (byte)(octets.Count - data));
        }
    }

    private static string? Ours(byte[] octets)
    {
        byte[] question = new byte[DnsName.Longest], name = new byte[DnsName.Longest];
        if (!Dataplane.Dns.DnsMessage.TryRead(octets, question, out var message)) return null;
        var words = new List<string> { $"{message.Id} {DnsName.Text(message.Name)} {message.Type} {message.IsTruncated} {message.Code}" };
        bool isDamaged;
        while (message.Next(out var record, out isDamaged))
        {
            if (message.Owner(record, name) is not (>= 0 and var owner)) return null;
            var text = $"{DnsName.Text(name.AsSpan(0, owner))} {record.Ttl} ";
            if (message.Address(record) is { } address) words.Add(text + address);
            else if (record.Type is DnsType.A or DnsType.Aaaa) return null;
            else if (record.Type != DnsType.Cname) words.Add(text + record.Type);
            else if (message.Target(record, name) is >= 0 and var target) words.Add(text + DnsName.Text(name.AsSpan(0, target)));
            else return null;
        }
        return isDamaged ? null : string.Join("; ", words);
    }

    private static string? Said(byte[] octets)
    {
        try
        {
            var message = Theirs.Parse(new ArraySegment<byte>(octets));
            if (message.Questions.Count != 1) return null;
            var question = message.Questions[0];
            var words = new List<string>
            {
                $"{message.TransactionID} {Text(question.Name)} {(ushort)question.RecordType} {message.IsTruncated} "
                    + $"{(int)message.ReturnCode}",
            };
            words.AddRange(message.AnswerRecords.Select(record => $"{Text(record.Name)} {(uint)record.TimeToLive} " + record switch
            {
                ARecord a => Address.From(a.Address).ToString(),
                AaaaRecord a => Plain(a.Address),
                CNameRecord alias => Text(alias.CanonicalName),
                _ => $"{(ushort)record.RecordType}",
            }));
            return string.Join("; ", words);
        }
        catch (Exception refused) when (refused is ArgumentException or FormatException or NotSupportedException or OverflowException
            or IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>An IPv4-mapped one stays what it is.</summary>
    private static string Plain(System.Net.IPAddress address) => Address.FromOctets(address.GetAddressBytes()).ToString();

    private static string Text(ARSoft.Tools.Net.DomainName name) =>
        name.LabelCount == 0 ? "." : string.Join(".", name.Labels).ToLowerInvariant();

    [Fact]
    public void Any_sound_message_reads_as_the_library_reads_it()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var octets = new Author(seed).Message();
            Assert.NotNull(Ours(octets));
            Assert.Equal(Said(octets), Ours(octets));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Fact]
    public void A_damaged_message_that_both_take_reads_the_same()
    {
        var (random, both) = (new Random(1), 0);
        for (var round = 0; round < 20_000; round++)
        {
            var octets = new Author(round).Message();
            for (var damage = random.Next(1, 3); damage > 0; damage--) octets[random.Next(octets.Length)] ^= (byte)(1 << random.Next(8));
            if (Ours(octets) is not { } ours || Said(octets) is not { } theirs || ours.Contains('\\', StringComparison.Ordinal)) continue;
            both++;
            Assert.True(theirs == ours, $"{Convert.ToHexStringLower(octets)}\nours:   {ours}\ntheirs: {theirs}");
        }
        Assert.InRange(both, 2000, 20_000);
    }
}
