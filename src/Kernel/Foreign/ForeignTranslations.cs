using System.Collections.Immutable;
using System.ComponentModel;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Foreign;

/// <summary>What others make of a packet's destination.</summary>
/// <param name="Ways">What it may become, in order; <see cref="PacketRedirect.None"/> among them: it may stay as it is.</param>
/// <param name="By">Whose rules give it another; null: nobody's.</param>
/// <param name="Unclear">What in the rules is not understood here, or not known of the packet, where the ways differ by it.</param>
/// <param name="Lost">What could not be found out: there may be other ways.</param>
public sealed record ForeignTranslation(
    ImmutableArray<PacketRedirect> Ways, string? By, ImmutableArray<string> Unclear, ImmutableArray<string> Lost)
{
    public static readonly ForeignTranslation None = new([], null, [], []);
}

/// <summary>
/// Looks up in this host's kernel where others send a connection that begins: through chains of nf_tables that translate (kube-proxy's in
/// nftables mode, and iptables'), iptables' own tables, and IPVS. Only what the packet meets is read, chain by chain, and only when
/// somebody asks about a packet. What is not understood is never guessed: the packet goes both ways then.
/// </summary>
public sealed class ForeignTranslations
{
    /// <summary>Walks by which endpoints are told apart; kube-proxy throws one die for each.</summary>
    private const int MostWalks = 512;

    /// <summary>Jumps within jumps, and rules in all.</summary>
    private const int MostDepth = 16, MostRules = 200_000;

    private readonly Packet packet;
    private readonly IHostFacts facts;
    private readonly bool isOwn;
    private readonly HashSet<PacketRedirect> ways = [];
    private readonly HashSet<string> unclear = [], lost = [];
    private string? by;
    private int rules;

    private ForeignTranslations(Packet packet, IHostFacts facts) =>
        (this.packet, this.facts, isOwn) = (packet, facts, packet.In == null && facts.IsLocal(packet.Source) == true);

    /// <summary>In the network namespace of the calling thread.</summary>
    /// <param name="ours">The table that is not others'.</param>
    public static ForeignTranslation Find(Packet packet, IHostFacts facts, string ours)
    {
        try
        {
            var find = new ForeignTranslations(packet, facts);
            var found = find.Through(ours);
            return found.By == null && found.Lost.IsEmpty ? find.ByIpvs() ?? found : found;
        }
        catch (Win32Exception refused)
        {
            return ForeignTranslation.None with { Lost = [$"what others' rules do: {refused.Message}"] };
        }
    }

    private ForeignTranslation Through(string ours)
    {
        using var socket = new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter);
        var place = isOwn ? NftHookPoint.Output : NftHookPoint.Prerouting;
        var family = packet.Source.Family;
        var hooks = ForeignNft.Hooks(new(socket), family, place, ours);
        if (hooks == null) lost.Add("what others' chains are: the kernel did not tell");
        if (LegacyTable.Read(family) is { } legacy && legacy.Start(place) is { } start)
            hooks = [.. hooks ?? [], new(legacy, start, NatPriority.Destination)];
        var begun = (hooks ?? []).OrderBy(hook => hook.Priority).ToArray();
        if (begun.Length > 0) Walk(begun);
        return new([.. ways.OrderBy(way => way == PacketRedirect.None).ThenBy(way => way.To).ThenBy(way => way.Port)], by, [.. unclear],
            [.. lost]);
    }

    private void Walk(ForeignHook[] hooks)
    {
        var scripts = new Stack<int[]>([[]]);
        for (var walks = 0; scripts.TryPop(out var script); walks++)
        {
            if (walks == MostWalks || rules > MostRules)
            {
                lost.Add("more ways through others' rules than can be told apart");
                break;
            }
            var passing = new ForeignPacket(packet, facts, isOwn, script);
            ways.Add(Pass(hooks, passing) ?? PacketRedirect.None);
            unclear.UnionWith(passing.Unclear);
            lost.UnionWith(passing.Lost);
            foreach (var other in passing.Others()) scripts.Push(other);
        }
        // By what makes no difference nothing is unclear.
        if (ways.Count == 1) unclear.Clear();
        if (by == null) ways.Clear();
    }

    /// <returns>Null: it stays.</returns>
    private PacketRedirect? Pass(ForeignHook[] hooks, ForeignPacket passing)
    {
        foreach (var (table, chain, _) in hooks)
            if (Pass(table, chain, passing, 0) is { Step: ForeignStep.Translate, To: { } to })
            {
                by ??= table.Words;
                return to;
            }
        return null;
    }

    /// <returns>Null: the chain has been passed, and whoever led there goes on.</returns>
    private ForeignVerdict? Pass(IForeignTable table, string chain, ForeignPacket passing, int depth)
    {
        if (depth > MostDepth || table.Rules(chain) is not { } read)
        {
            lost.Add($"what chain {chain} of {table.Words} does: it could not be read");
            return null;
        }
        foreach (var rule in read)
        {
            rules++;
            var verdict = table.Ask(rule, passing);
            switch (verdict.Step)
            {
                case ForeignStep.Next: continue;
                case ForeignStep.Return: return null;
                case ForeignStep.Jump when Pass(table, verdict.Chain!, passing, depth + 1) is { } end: return end;
                case ForeignStep.Jump: continue;
                case ForeignStep.Goto: return Pass(table, verdict.Chain!, passing, depth + 1);
                default: return verdict;
            }
        }
        return null;
    }

    /// <summary>Null: it is of none of its services.</summary>
    private ForeignTranslation? ByIpvs() => IpvsServices.Read()?.Of(packet) is not { } ends ? null
        : new([.. ends.Select(end => end with { IsBehindInput = !isOwn })], "IPVS", [], []);
}

/// <summary>A base chain of others' that translates destinations.</summary>
internal readonly record struct ForeignHook(IForeignTable Table, string Chain, int Priority);
