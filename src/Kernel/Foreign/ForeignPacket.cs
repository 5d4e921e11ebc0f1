using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Foreign;

/// <summary>What a rule of others' does with a packet.</summary>
internal enum ForeignStep : byte { Next, Jump, Goto, Return, Accept, Drop, Translate }

/// <param name="Chain">Where it leads to.</param>
/// <param name="To">What the packet's destination becomes.</param>
internal readonly record struct ForeignVerdict(ForeignStep Step, string? Chain = null, PacketRedirect? To = null)
{
    public static readonly ForeignVerdict Next = new(ForeignStep.Next), Return = new(ForeignStep.Return),
        Accept = new(ForeignStep.Accept), Drop = new(ForeignStep.Drop);
}

/// <summary>
/// The first packet of a connection on one of its ways through others' rules. Where they throw dice, or ask what nobody knows here, it
/// takes one answer and is walked again with each other.
/// </summary>
/// <param name="script">The answers that it begins with.</param>
internal sealed class ForeignPacket(Packet packet, IHostFacts facts, bool isOwn, int[] script)
{
    private readonly List<(int Answer, int Count)> answers = [];

    public Packet Said => packet;

    /// <summary>Made by this host.</summary>
    public bool IsOwn => isOwn;

    public uint Mark { get; set; }

    /// <summary>What the answers that were taken depend on, beside dice.</summary>
    public HashSet<string> Unclear { get; } = [];

    public HashSet<string> Lost { get; } = [];

    /// <summary>By chance: one of so many, all of which are to be walked.</summary>
    public int Choose(int count)
    {
        var answer = answers.Count < script.Length ? script[answers.Count] : 0;
        answers.Add((answer, count));
        return answer;
    }

    public bool Guess(string fact)
    {
        Unclear.Add(fact);
        return Choose(2) == 0;
    }

    /// <summary>It goes on with what nobody knows before the kernel has chosen: of this way nothing is known.</summary>
    public ForeignVerdict Lose(string fact)
    {
        Lost.Add(fact);
        return ForeignVerdict.Accept;
    }

    public bool IsLocal(Address address) => facts.IsLocal(address) ?? Guess($"whether {address} is this host's");

    /// <summary>The beginnings of all other walks that this one has left open.</summary>
    public IEnumerable<int[]> Others()
    {
        for (var i = script.Length; i < answers.Count; i++)
            for (var other = 1; other < answers[i].Count; other++)
                yield return [.. answers[..i].Select(one => one.Answer), other];
    }
}

/// <summary>Rules of others, read as they are asked for.</summary>
internal interface IForeignTable
{
    /// <summary>As whoever looks after the node would call it.</summary>
    string Words { get; }

    /// <summary>In their order; null: it could not be read.</summary>
    IReadOnlyList<byte[]>? Rules(string chain);

    ForeignVerdict Ask(byte[] rule, ForeignPacket packet);
}
