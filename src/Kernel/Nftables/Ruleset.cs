using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// Keeps one table of ours as it is wanted: sends what differs, in one transaction; leaves out what the kernel refuses, tries that again
/// later, and lets the rest be in force meanwhile. What the kernel holds is remembered, and read again only when it may have changed.
/// </summary>
internal sealed class Ruleset(string name, NetlinkSocket socket, TimeProvider clock, ILogger log)
{
    private const int Attempts = 50;
    private static readonly TimeSpan AfterUnknown = TimeSpan.FromMilliseconds(200);

    private readonly NetlinkDump dump = new(socket);
    private readonly Refusals<NftPart> refusals = new(clock);
    private ActualTable? actual;
    private bool fresh, anew;

    /// <summary>Null: the table is not ours to touch yet.</summary>
    public NftTable? Wanted { get; private set; }

    public long Transactions { get; private set; }
    public long Readings { get; private set; }
    public bool IsSettled { get; private set; }

    /// <summary>How long until the next attempt; null: nothing waits.</summary>
    public TimeSpan? Wait => IsSettled ? refusals.Wait : AfterUnknown;

    public ImmutableArray<NftProblem> Problems(int limit) =>
        [.. refusals.List(limit).Select(entry => new NftProblem(entry.Key.ToString()!, entry.Refusal.Errno, entry.Refusal.Words, entry.Refusal.Since, entry.Refusal.Attempts))];

    public void Want(NftTable? table)
    {
        Wanted = table;
        IsSettled = false;
    }

    /// <summary>Somebody else has been at the table.</summary>
    public void Doubt()
    {
        actual = null;
        IsSettled = false;
    }

    /// <summary>One walk from what is wanted to what is in force.</summary>
    public void Round()
    {
        refusals.Release(everything: false, _ => IsSettled = false);
        if (IsSettled) return;
        for (var attempt = 0; attempt < Attempts && !IsSettled; attempt++)
            if (!Try()) return;
    }

    /// <summary>False where only time helps.</summary>
    private bool Try()
    {
        if (actual == null && !Read()) return false;
        var goal = Wanted is { } wanted ? Allowed(wanted) : null;
        if (goal == null) return Settle();
        var transaction = new NftTransaction(socket);
        NftDifference.Write(goal, actual!, transaction, anew);
        if (transaction.Refusals.Count > 0)
        {
            Refuse(transaction.Refusals);
            return true;
        }
        if (transaction.IsEmpty) return Settle();
        Transactions++;
        return Exchange(transaction, goal);
    }

    private bool Exchange(NftTransaction transaction, NftTable goal)
    {
        var outcome = transaction.Exchange();
        if (outcome == NftOutcome.Committed)
        {
            (actual, fresh, anew) = (ActualTable.Of(goal), false, false);
            return Settle();
        }
        if (outcome == NftOutcome.Refused && fresh) Refuse(transaction.Refusals);
        // What is there may not be what we think: only a refusal of what was just read is one.
        if (outcome == NftOutcome.Unknown || !fresh) actual = null;
        return outcome != NftOutcome.Unknown;
    }

    private bool Settle()
    {
        Forget();
        IsSettled = true;
        return true;
    }

    private bool Read()
    {
        Readings++;
        actual = NftReading.Read(dump, Wanted ?? NftTable.Empty(name), out var errno);
        fresh = actual != null;
        if (errno == 0) return fresh;
        Refuse([new(new NftPart.Table(name), errno, System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(errno))]);
        IsSettled = true;
        return false;
    }

    /// <summary>
    /// Those that stand on a refused part fail with it, so only the lowest are to blame. What cannot be removed (somebody has put something
    /// of his on it) goes with the whole table, which is then made anew.
    /// </summary>
    private void Refuse(List<NftRefusal> refused)
    {
        var lowest = refused.Min(refusal => refusal.Part.Level);
        if (refused.Exists(refusal => refusal.Part is NftPart.Removal))
        {
            if (anew) refused.Add(refused[0] with { Part = new NftPart.Table(name) });
            (anew, lowest) = (!anew, anew ? 0 : lowest);
        }
        foreach (var (part, errno, words) in refused.Where(refusal => refusal.Part.Level == lowest).DistinctBy(refusal => refusal.Part))
        {
            if (part is NftPart.Removal) continue;
            var attempts = refusals.Add(part, errno, words);
            if (attempts == 1) KernelLog.NftRefused(log, part.ToString()!, words, NftFeature.Advice(part, errno));
        }
    }

    /// <summary>What is wanted, without what the kernel has refused and is not to be asked about again yet.</summary>
    private NftTable? Allowed(NftTable wanted)
    {
        if (refusals.Count == 0) return wanted;
        if (refusals.Blocks(new NftPart.Table(name))) return null;
        return wanted with
        {
            Sets = [.. wanted.Sets.Where(set => !refusals.Blocks(new NftPart.Set(set.Name))).Select(Allowed)],
            Chains = [.. wanted.Chains.Where(chain => !refusals.Blocks(new NftPart.Chain(chain.Name))).Select(Allowed)],
        };
    }

    private NftSet Allowed(NftSet set) =>
        set with { Elements = [.. set.Elements.Where(element => !refusals.Blocks(new NftPart.Element(set.Name, element)))] };

    private NftChain Allowed(NftChain chain) =>
        chain with { Rules = [.. chain.Rules.Where(rule => !refusals.Blocks(new NftPart.Rule(chain.Name, rule)))] };

    /// <summary>Refusals of what is in force by now, or is not wanted any more.</summary>
    private void Forget()
    {
        if (refusals.Count == 0) return;
        foreach (var (part, _) in refusals.List(int.MaxValue))
            if (!refusals.Blocks(part) || !IsWanted(part)) refusals.Remove(part);
    }

    private bool IsWanted(NftPart part) => Wanted is { } wanted && part switch
    {
        NftPart.Table => true,
        NftPart.Set set => wanted.Sets.Any(other => other.Name == set.Name),
        NftPart.Chain chain => wanted.Chains.Any(other => other.Name == chain.Name),
        NftPart.Element element => wanted.Sets.Any(set => set.Name == element.Of && set.Elements.Contains(element.Value)),
        NftPart.Rule rule => wanted.Chains.Any(chain => chain.Name == rule.In && chain.Rules.Contains(rule.Value)),
        _ => false,
    };

    /// <summary>Removes the table and all that is in it.</summary>
    /// <returns>Null, or why it is still there.</returns>
    public string? Flush()
    {
        Want(null);
        if (!Read()) return refusals.List(1).Select(entry => entry.Refusal.Words).FirstOrDefault() ?? "it cannot be read";
        if (!actual!.Exists) return null;
        var transaction = new NftTransaction(socket);
        transaction.Add(new NftPart.Removal($"table inet {name}"), NftMessage.DeleteTable(name));
        Transactions++;
        var outcome = transaction.Exchange();
        actual = null;
        return outcome == NftOutcome.Committed ? null : transaction.Refusals.Select(refusal => refusal.Words).FirstOrDefault() ?? "the kernel's answer is lost";
    }
}
