using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Packets;
using Microsoft.Extensions.Logging;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// Keeps one table of ours as it is wanted: sends of the parts that are dirty what differs, in one transaction; leaves out what the kernel
/// refuses, tries that again later, and lets the rest be in force meanwhile. What the kernel holds is remembered, and read again only when
/// it may have changed. The table is never deleted while it is wanted.
/// </summary>
/// <param name="watched">Hears what others do; null: nobody does.</param>
/// <param name="keepsOthers">What an earlier run has in the table stays beside what is wanted.</param>
internal sealed class Ruleset(
    string name, string? comment, NetlinkSocket socket, NetlinkSocket? watched, TimeProvider clock, ILogger log, bool keepsOthers = false)
{
    private const int Attempts = 50, MostHeard = 1 << 16;
    private static readonly TimeSpan AfterUnknown = TimeSpan.FromMilliseconds(200);

    private readonly NetlinkDump dump = new(socket);
    private readonly NftTransaction transaction = new(socket);
    private readonly NftParts parts = new() { KeepsOthers = keepsOthers };
    private readonly Refusals<NftPart> refusals = new(clock);
    private bool known, justRead;

    /// <summary>nf_tables' count of changes when we last knew our table; 0: others may have been at it.</summary>
    private uint generation;

    /// <summary>As <see cref="NftFeature.RenewsTimeouts"/>, unless it is told otherwise.</summary>
    public bool RenewsTimeouts { get; init; } = NftFeature.RenewsTimeouts;

    /// <summary>From the first change on; before that the table is not ours to touch.</summary>
    public bool IsOurs { get; private set; }

    public long Transactions { get; private set; }
    public DateTimeOffset? LastTransaction { get; private set; }
    public long Readings { get; private set; }
    public bool IsSettled { get; private set; }

    /// <summary>How long until the next attempt; null: nothing waits.</summary>
    public TimeSpan? Wait => IsSettled ? refusals.Wait : AfterUnknown;

    public ImmutableArray<NftProblem> Problems(int limit) =>
        [.. refusals.List(limit).Select(entry =>
            new NftProblem(entry.Key.ToString()!, entry.Refusal.Errno, entry.Refusal.Words, entry.Refusal.Since, entry.Refusal.Attempts,
                entry.Key is NftPart.Rule rule ? Place(rule) : null))];

    private NftRulePlace Place(NftPart.Rule rule) => new(rule.In, rule.Value.Comment,
        parts.Chain(rule.In)?.Wanted is { Instead: [.., var last] } chain && chain.Standing(refusals.Blocks) == last);

    /// <summary>What packets meet, once it is in force.</summary>
    public IPacketTable Table => new PartsTable(parts, Blocked, null);

    /// <summary>The same, for whom it is worth to ask the kernel what is in dynamic sets now.</summary>
    public IPacketTable TableOfNow => new PartsTable(parts, Blocked, Has);

    /// <summary>Null: the kernel does not say.</summary>
    private bool? Has(string set, NftOctets key)
    {
        var end = dump.Read(NftMessage.AskElement(name, set, key), Pass, out var errno);
        return end == DumpEnd.Complete ? true : end == DumpEnd.Refused && errno == ENOENT ? false : null;

        static void Pass(in NetlinkHeader header, ReadOnlySpan<byte> body) { }
    }

    /// <summary>What the counters have counted whose names begin so.</summary>
    /// <returns>The kernel's error where it does not tell, or tells a torn list again and again; 0.</returns>
    public int Counters(string prefix, out ImmutableArray<NftCount> counts)
    {
        var found = ImmutableArray.CreateBuilder<NftCount>();
        var errno = Ask(() => NftMessage.AskCounters(name), found.Clear, Keep);
        counts = found.DrainToImmutable();
        return errno;

        void Keep(in NetlinkHeader header, ReadOnlySpan<byte> body)
        {
            var count = NftMessage.ReadCounter(body[NetfilterHeader.Octets..]);
            if (count.Name.StartsWith(prefix, StringComparison.Ordinal)) found.Add(count);
        }
    }

    /// <returns>0, or why the kernel does not tell.</returns>
    public int Keys(ImmutableArray<string> sets, out ImmutableArray<(string Set, NftOctets Key)> keys)
    {
        var all = ImmutableArray.CreateBuilder<(string, NftOctets)>();
        var errno = 0;
        foreach (var set in sets)
        {
            var from = all.Count;
            var answer = Ask(() => NftMessage.AskElements(name, set), () => all.Count = from,
                (in header, body) => NftReading.Elements(body, one => all.Add((set, one.Element.From))));
            if (answer != 0 && answer != ENOENT) errno = answer;
        }
        keys = all.DrainToImmutable();
        return errno;
    }

    /// <summary>Again, while others change what is told.</summary>
    private int Ask(Func<NetlinkMessage> request, Action forget, DumpEntry keep)
    {
        var (end, errno) = (DumpEnd.Interrupted, 0);
        for (var attempt = 0; attempt < Attempts && end == DumpEnd.Interrupted; attempt++)
        {
            forget();
            end = dump.Read(request(), keep, out errno);
        }
        return end == DumpEnd.Interrupted ? EINTR : errno;
    }

    /// <summary>
    /// From now on this is wanted, too. Elements of sets that are in force go at once, ahead of everything else that waits.
    /// </summary>
    /// <returns>True where that was all, and the kernel has taken it.</returns>
    /// <exception cref="ArgumentException">Elements are put into a set that nobody wants; nothing of the changes is taken.</exception>
    public bool Want(ImmutableArray<NftChange> changes)
    {
        parts.Check(changes);
        var ahead = IsOurs ? SetsInForce(changes) : null;
        foreach (var change in changes) parts.Apply(change);
        IsOurs = true;
        if (ahead != null && !ahead.Any(set => set.ChangesKind) && Hasten(ahead)) return true;
        if (refusals.Count > 0) RetryRemovals();
        IsSettled = false;
        return false;
    }

    /// <summary>What leant on a part that could not be removed may be gone by the changes that have come.</summary>
    private void RetryRemovals()
    {
        foreach (var (part, _) in refusals.List(int.MaxValue))
        {
            if (part is not NftPart.Removal) continue;
            refusals.Hasten(part);
            parts.Retry(part);
        }
    }

    /// <summary>The sets that the changes concern, if these are elements alone, and nothing else waits for their sets; else null.</summary>
    private HashSet<SetPart>? SetsInForce(ImmutableArray<NftChange> changes)
    {
        var sets = new HashSet<SetPart>();
        foreach (var change in changes)
        {
            var name = change switch
            {
                NftChange.PutElements put => put.Set,
                NftChange.RemoveElements remove => remove.Set,
                _ => null,
            };
            if (name == null || parts.Set(name) is not { Wanted: not null, There: not null } set || parts.DirtySets.Contains(set))
                return null;
            sets.Add(set);
        }
        return sets;
    }

    /// <summary>False: what the kernel minds there is for the next round to find out.</summary>
    private bool Hasten(HashSet<SetPart> sets)
    {
        var difference = Write([], sets, []);
        if (!transaction.IsEmpty && (transaction.Refusals.Count > 0 || Exchange() != NftOutcome.Committed)) return false;
        difference.Commit();
        if (Forget() || !known) IsSettled = false;
        return true;
    }

    /// <summary>Somebody else has been at the table.</summary>
    public void Doubt()
    {
        known = false;
        IsSettled = false;
    }

    /// <summary>One walk from what is wanted to what is in force.</summary>
    /// <param name="between">Done before each attempt: news may have come that cannot wait for all of them.</param>
    public void Round(Action? between = null)
    {
        refusals.Release(everything: false, Retry);
        for (var attempt = 0; attempt < Attempts && !IsSettled; attempt++)
        {
            between?.Invoke();
            if (!Attempt()) return;
        }
    }

    private void Retry(NftPart part)
    {
        parts.Retry(part);
        IsSettled = false;
    }

    private Predicate<NftPart>? Blocked => refusals.Count == 0 ? null : refusals.Blocks;

    private NftDifference Write(
        IEnumerable<ObjectPart> objects, IEnumerable<SetPart> sets, IEnumerable<ChainPart> chains, bool mayWait = true)
    {
        transaction.Begin();
        var difference = new NftDifference(name, parts, Blocked, transaction, mayWait) { RenewsTimeouts = RenewsTimeouts };
        difference.Write(comment, objects, sets, chains);
        return difference;
    }

    private NftDifference WriteDirty()
    {
        var difference = Write(parts.DirtyObjects, parts.DirtySets, parts.DirtyChains);
        // Nothing is left to wait for: what still asks it is what the kernel has refused to change.
        return difference.IsAll || !transaction.IsEmpty || transaction.Refusals.Count > 0
            ? difference : Write(parts.DirtyObjects, parts.DirtySets, parts.DirtyChains, mayWait: false);
    }

    /// <summary>
    /// A packet that is on its way keeps the rules that were, and meets the elements that are. Where these lead it to a chain that has come
    /// with them, it finds no rules there, and goes on as if no element had been (of a million packets beside 30,000 such changes a
    /// hundred did). So chains come first, with what they ask, and who leads to them when they are in force.
    /// </summary>
    /// <returns>Null: what is new has been refused, and the rest comes without.</returns>
    private NftDifference? WriteAhead()
    {
        var difference = Write(parts.DirtyObjects.Where(one => one.IsWanted), parts.DirtySets.Where(set => set.There == null),
            parts.DirtyChains.Where(chain => chain is { There: null, Wanted.Hook: null }));
        return transaction.IsEmpty && transaction.Refusals.Count == 0 ? null : difference;
    }

    /// <summary>False where only time helps.</summary>
    private bool Attempt()
    {
        if (!IsOurs) return Settle();
        if (!known && !Read()) return false;
        if (refusals.Blocks(new NftPart.Table(name))) return Settle();
        CloseAskers();
        var ahead = parts.LeadsToNew ? WriteAhead() : null;
        var difference = ahead ?? WriteDirty();
        if (transaction.Refusals.Count > 0)
        {
            Refuse(transaction.Refusals);
            return true;
        }
        if (transaction.IsEmpty) return Commit(difference);
        var before = generation;
        var outcome = Exchange();
        if (outcome == NftOutcome.Committed)
        {
            if (ahead != null || !difference.IsAll) difference.Commit();
            else Commit(difference);
            if (!known) IsSettled = false;
            return true;
        }
        // What is there may not be what we think: a refusal counts where we have just read it, or nobody has changed anything since we knew
        // it.
        if (outcome == NftOutcome.Refused && (justRead || (before != 0 && transaction.Generation == before))) Refuse(transaction.Refusals);
        else known = false;
        return outcome != NftOutcome.Unknown;
    }

    /// <summary>
    /// While anybody listens the kernel makes a message of some kilobytes for each element, and keeps all of them to the end: half a
    /// gigabyte and a quarter of the time for 100,000 that we would not look at. So nobody of ours listens to a long transaction; whether
    /// anything was missed, the count of changes tells.
    /// </summary>
    private NftOutcome Exchange()
    {
        Transactions++;
        LastTransaction = clock.GetUtcNow();
        var deaf = transaction.Octets > MostHeard ? watched : null;
        deaf?.Hear(NftWatch.GroupNumber, false);
        var outcome = transaction.Exchange(() => deaf?.Hear(NftWatch.GroupNumber, true));
        if (outcome == NftOutcome.Unknown) (known, generation) = (false, 0);
        else if (outcome == NftOutcome.Committed)
        {
            (justRead, generation) = (false, generation != 0 && transaction.Generation == generation + 1 ? generation + 1 : 0);
            if (deaf != null && generation == 0) known = false;
        }
        return outcome;
    }

    private bool Commit(NftDifference difference)
    {
        difference.Commit();
        parts.Rest();
        return Settle();
    }

    private bool Settle()
    {
        IsSettled = !Forget();
        return true;
    }

    private bool Read()
    {
        Readings++;
        var told = NftReading.Read(dump, name, out var errno);
        known = justRead = told != null;
        if (told != null)
        {
            generation = told.Generation;
            parts.Compare(told, chain => chain.Without(Blocked));
        }
        if (errno == 0) return known;
        Refuse([new(new NftPart.Table(name), errno, Marshal.GetPInvokeErrorMessage(errno))]);
        IsSettled = true;
        return false;
    }

    /// <summary>Those that stand on a refused part fail with it, so only the lowest are to blame.</summary>
    private void Refuse(List<NftRefusal> refused)
    {
        var lowest = refused.Min(refusal => refusal.Part.Level);
        foreach (var (part, errno, words) in refused.Where(refusal => refusal.Part.Level == lowest).DistinctBy(refusal => refusal.Part))
        {
            var attempts = refusals.Add(part, errno, words);
            if (attempts == 1) KernelLog.NftRefused(log, part.ToString()!, words, NftFeature.Advice(part, errno));
        }
    }

    /// <summary>
    /// A set that lacks what the kernel has refused of it makes a rule say what nobody has said: a rule that denies lets through whom it
    /// does not know. So where a chain says what it has instead of a rule that cannot be, rules that ask such a set are none either, until
    /// the set is whole.
    /// </summary>
    private void CloseAskers()
    {
        if (refusals.Count == 0) return;
        // Of a dynamic set nobody says what it has: it fills up, and opens less.
        var lacking = refusals.List(int.MaxValue).Where(one => one.Key is NftPart.Element(var of, _) && refusals.Blocks(one.Key)
            && parts.Set(of) is { Wanted.Dynamic: false })
            .DistinctBy(one => ((NftPart.Element)one.Key).Of).ToDictionary(one => ((NftPart.Element)one.Key).Of);
        if (lacking.Count == 0) return;
        foreach (var (rule, set) in parts.Asking(lacking.Keys.ToHashSet()).ToArray())
        {
            if (refusals.Blocks(rule)) continue;
            var (element, refusal) = lacking[set];
            refusals.Add(rule, refusal.Errno, $"{element}: {refusal.Words}");
            parts.Retry(rule);
        }
    }

    /// <summary>Refusals of what is in force by now, or is not wanted any more.</summary>
    /// <returns>Some of a set is not refused any more: rules that ask it may be tried again.</returns>
    private bool Forget()
    {
        if (refusals.Count == 0) return false;
        var whole = new HashSet<string>();
        foreach (var (part, _) in refusals.List(int.MaxValue))
        {
            if (refusals.Blocks(part) && parts.IsWanted(part)) continue;
            refusals.Remove(part);
            if (part is NftPart.Element(var set, _)) whole.Add(set);
        }
        var waits = whole.Count == 0 || refusals.Count == 0 ? []
            : parts.Asking(whole).Select(one => one.Rule).Where(rule => refusals.Blocks(rule)).ToArray();
        foreach (var rule in waits)
        {
            refusals.Hasten(rule);
            parts.Retry(rule);
        }
        return waits.Length > 0;
    }

    /// <summary>Removes the table and all that is in it.</summary>
    /// <returns>Null, or why it is still there.</returns>
    public string? Flush()
    {
        IsOurs = false;
        IsSettled = false;
        parts.Clear();
        if (!Read()) return refusals.List(1).Select(entry => entry.Refusal.Words).FirstOrDefault() ?? "it cannot be read";
        if (!parts.TableIsThere) return null;
        transaction.Begin();
        transaction.Add(new NftPart.Removal(new NftPart.Table(name)), NftMessage.DeleteTable(name));
        var outcome = Exchange();
        parts.Clear();
        known = false;
        return outcome == NftOutcome.Committed
            ? null : transaction.Refusals.Select(refusal => refusal.Words).FirstOrDefault() ?? "the kernel's answer is lost";
    }
}
