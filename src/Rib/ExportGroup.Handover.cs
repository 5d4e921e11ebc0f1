using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Calico.Bgp.Rib;

/// <content>
/// What members were told, for the process that takes over, and from the one before. There nothing is told again that this process would
/// tell as well: a route that leaves as it left then is recorded as told, and what differs is told by the walk with which every group
/// begins.
/// </content>
internal sealed partial class ExportGroup
{
    /// <summary>Routes sorted by their attributes at a time.</summary>
    private const uint ImageSlice = 1 << 14;

    /// <summary>Nothing of the group may change meanwhile.</summary>
    public void WriteTo(TableImageWriter image)
    {
        if (inSync.Count > 0) Write(image, inSync, null);
        foreach (var cohort in cohorts)
            if (cohort.Members.Count > 0) Write(image, cohort.Members, cohort);
    }

    private void Write(TableImageWriter image, List<Member> members, Cohort? cohort)
    {
        image.Holding(family, IsByPath, members.Select(member => (member.Peer.Index, DebtsOf(member, cohort))));
        var slice = new List<(Best Held, uint Key)>();
        for (uint key = 1; key < End; key++)
        {
            var held = cohort == null ? sent[key] : HeldExactly(cohort, key);
            if (held != Best.None) slice.Add((held, key));
            if (slice.Count >= ImageSlice) Flush();
        }
        Flush();

        void Flush()
        {
            // By handle and source: a filter that looks at the prefix may still tell each of them something else.
            slice.Sort(static (a, b) => (a.Held.Attributes, a.Held.Peer, a.Key).CompareTo((b.Held.Attributes, b.Held.Peer, b.Key)));
            WriteRuns(image, CollectionsMarshal.AsSpan(slice));
            slice.Clear();
        }
    }

    private MemberDebts DebtsOf(Member member, Cohort? cohort) =>
        (member.AwaitsEndOfRib ? MemberDebts.EndOfRib : 0) | (member.AwaitsEndOfRefresh ? MemberDebts.EndOfRefresh : 0)
        | (member.WantsRefresh || member.AwaitsEndOfRefresh || IsToldAgain(cohort) ? MemberDebts.Refresh : 0);

    private bool IsToldAgain(Cohort? cohort) => cohort is { HoldsAll: true } && cohort.Cursor < End;

    /// <summary>With attributes 0 and a source where nobody knows any more with which ones.</summary>
    private Best HeldExactly(Cohort cohort, uint key)
    {
        var now = sent[key];
        if (!cohort.Remembers(key) && (key < cohort.Cursor || cohort.HoldsAll)) return now;
        return cohort.HeldOf(key, now) is { Attributes: not 0 } held ? new(0, held.Peer) : Best.None;
    }

    private void WriteRuns(TableImageWriter image, ReadOnlySpan<(Best Held, uint Key)> slice)
    {
        var (nlri, attributes) = (new byte[TableImageWriter.MostNlriOctets], Array.Empty<byte>());
        var (used, runs) = (0, Best.None);
        foreach (var (held, key) in slice)
        {
            var node = NodeOf(key);
            ReadOnlySpan<byte> leaving = default;
            if (held.Attributes != 0 && (held != runs || filter.LooksAtPrefix)) filter.Run(node, held, out leaving);
            else leaving = attributes;
            if (held.Attributes == 0) leaving = default;
            if (used > nlri.Length - 32 || held.Peer != runs.Peer || !leaving.SequenceEqual(attributes)) Cut(image, leaving.ToArray());
            runs = held;
            if (keys is { } named)
            {
                BinaryPrimitives.WriteUInt32BigEndian(nlri.AsSpan(used), named.IdOf(key));
                used += 4;
            }
            used += rib.Table.WriteNlri(node, nlri.AsSpan(used));
        }
        Cut(image, []);

        void Cut(TableImageWriter into, byte[] next)
        {
            if (used > 0)
                into.Told(runs.Peer, new() { Family = family, AddPath = IsByPath, Octets = nlri.AsSpan(0, used) }, attributes);
            (used, attributes) = (0, next);
        }
    }

    /// <summary>Before its first step: all who are in it have joined, and were told this.</summary>
    public void Adopt(IReadOnlyList<AdoptedHolding> holdings)
    {
        var (isFirst, strangers, refreshed) = (true, new List<Member>(inSync), new List<Member>());
        foreach (var holding in holdings)
        {
            var its = new List<Member>();
            foreach (var (peer, debts) in holding.Members)
            {
                if (strangers.Find(member => member.Peer.Index == peer) is not { } member) continue;
                strangers.Remove(member);
                its.Add(member);
                member.AwaitsEndOfRib = (debts & MemberDebts.EndOfRib) != 0;
                member.AwaitsEndOfRefresh = (debts & MemberDebts.EndOfRefresh) != 0;
                if ((debts & MemberDebts.Refresh) != 0) refreshed.Add(member);
            }
            if (its.Count == 0) continue;
            if (isFirst) AdoptAll(holding);
            else AdoptBeside(holding, its);
            isFirst = false;
        }
        foreach (var member in refreshed) RefreshAnew(member);
        // Who was told nothing gets everything, as at any beginning.
        foreach (var member in strangers)
        {
            if (isFirst) break;
            inSync.Remove(member);
            CohortAtStart(holdsAll: false).Members.Add(member);
        }
    }

    /// <summary>How far the earlier process had come with it is not known.</summary>
    private void RefreshAnew(Member member)
    {
        if (inSync.Remove(member)) CohortAtStart(holdsAll: true).Members.Add(member);
        else Alone(member).StartOver();
        BeginRefresh(member);
    }

    private void AdoptAll(AdoptedHolding holding)
    {
        foreach (var (key, held) in HeldBy(holding))
        {
            sent.Record(ref sent.At(key), sent[key], held);
            attributes.Release(held.Attributes);
        }
    }

    /// <summary>Members who hold something else than those whose table is the group's: they are told what differs.</summary>
    private void AdoptBeside(AdoptedHolding holding, List<Member> members)
    {
        var cohort = Added(new(End, holdsAll: true) { HasStarted = true });
        var seen = new HashSet<uint>();
        foreach (var (key, held) in HeldBy(holding))
        {
            seen.Add(key);
            if (sent[key] != held) cohort.Remember(key, held);
            attributes.Release(held.Attributes);
        }
        for (uint key = 1; key < End; key++)
            if (sent[key] != Best.None && !seen.Contains(key)) cohort.Remember(key, Best.None);
        foreach (var member in members) inSync.Remove(member);
        cohort.Members.AddRange(members);
        cohort.Cursor = End;
    }

    /// <summary>By key, as what of ours it is; with a reference on its attributes for the caller.</summary>
    private IEnumerable<(uint Key, Best Held)> HeldBy(AdoptedHolding holding)
    {
        var found = new List<(uint, Best)>();
        foreach (var part in holding.Parts)
        {
            part.Position = 0;
            using var image = new TableImageReader(part);
            while (image.Next(out var record))
            {
                Find(record, found);
                if (found.Count < ImageSlice) continue;
                foreach (var one in found) yield return one;
                found.Clear();
            }
        }
        foreach (var one in found) yield return one;
    }

    private void Find(in ImageRecord record, List<(uint, Best)> found)
    {
        Best runs = default;
        for (var rest = record.Nlri.Octets; !rest.IsEmpty;)
        {
            var id = 0u;
            if (record.Nlri.AddPath)
            {
                id = BinaryPrimitives.ReadUInt32BigEndian(rest);
                rest = rest[4..];
            }
            var octets = rest.Slice(1, (rest[0] + 7) / 8);
            if (rib.Table.FindOrAdd(rest[0], octets, out var node) == 0) rib.Moved.Add(node);
            rest = rest[(1 + octets.Length)..];
            if (keys != null) found.Add(FindPath(node, id, record));
            else found.Add((node, IsToldBy(record, node, rib.BestOf(node), ref runs) ? Held(rib.BestOf(node)) : Unknown(record.Peer)));
        }
    }

    private (uint Key, Best Held) FindPath(uint node, uint id, in ImageRecord record)
    {
        Best runs = default;
        if (keys!.Called(node, id) is var key and not 0)
        {
            var path = keys.PathOf(key);
            return (key, path != 0 && IsToldBy(record, node, PathOf(path), ref runs) ? Held(PathOf(path)) : Unknown(record.Peer));
        }
        for (var at = rib.First(node); at != 0; at = rib.Paths[at].Next)
        {
            if (HasKey(node, at) || !IsToldBy(record, node, PathOf(at), ref runs)) continue;
            return (keys.Add(node, at, id), Held(PathOf(at)));
        }
        return (keys.Add(node, 0, id), Unknown(record.Peer));
    }

    private bool HasKey(uint node, uint path)
    {
        for (var key = keys!.First(node); key != 0; key = keys.Next(key))
            if (keys.PathOf(key) == path) return true;
        return false;
    }

    /// <param name="runs">What was found to leave so for another prefix of the record.</param>
    private bool IsToldBy(in ImageRecord record, uint node, Best best, ref Best runs)
    {
        if (best.Attributes == 0 || record.Attributes.IsEmpty) return false;
        if (best == runs && !filter.LooksAtPrefix) return true;
        if (best.Peer != record.Peer && (receivers.Contains(best.Peer) || receivers.Contains(record.Peer))) return false;
        if (!filter.Run(node, best, out var octets).IsAccepted || !octets.SequenceEqual(record.Attributes)) return false;
        runs = best;
        return true;
    }

    private Best Held(Best best)
    {
        attributes.Hold(best.Attributes);
        return best;
    }

    private bool IsKnown(Best told) => !attributes.OctetsOf(told.Attributes).IsEmpty;

    /// <summary>Told, but not as this process tells it: attributes that no route has.</summary>
    private Best Unknown(ushort source) => new(attributes.Intern([], default, default), source);
}

/// <summary>What peers were told by the process before this one, all of them the same.</summary>
/// <param name="Parts">Images of what was told; all of it together, no prefix twice.</param>
internal sealed record AdoptedHolding(IReadOnlyList<(ushort Peer, MemberDebts Debts)> Members, IReadOnlyList<MemoryStream> Parts);
