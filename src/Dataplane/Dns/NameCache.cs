using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>An element for a set of the kernel's.</summary>
/// <param name="Set">A <see cref="DomainSet"/>'s id.</param>
/// <param name="Endpoint">The interface for which; empty: for all (<see cref="DnsIsolation.Node"/>), or for the host's own.</param>
/// <param name="Until">In milliseconds, on the clock of whoever asked. Of two for the same element the later counts.</param>
internal readonly record struct Opening(int Set, string Endpoint, Address Address, long Until);

/// <summary>What became of a message that looked like a response.</summary>
internal enum Heard : byte
{
    /// <summary>Believed and remembered; openings may have come of it, or none.</summary>
    Learned,
    /// <summary>Believed, and nothing in it leads to an address: no such name, another type, an error.</summary>
    Empty,
    /// <summary>No query was seen that it answers: nothing of it is believed.</summary>
    Unasked,
    /// <summary>No DNS message, or one that is damaged before its end: nothing of it is believed.</summary>
    Damaged,
}

/// <summary>Why an address is open: the response that brought it, and the names that lead to it.</summary>
/// <param name="Names">From the name that a set asks for to the one that has the address.</param>
/// <param name="Sets">Ids of the sets that ask for the first name.</param>
/// <param name="By">The response that brought the address; ends and times are the cache's clock's.</param>
/// <param name="Until">When the first link on the way ends.</param>
internal sealed record NameExplanation(
    string Endpoint, ListOf<string> Names, ListOf<int> Sets, Address Address, Learning By, long Until);

/// <summary>How often something went because something was full, and what was not believed.</summary>
internal readonly record struct NameCacheCounts(
    int Names, long NamesGivenUp, long AddressesGivenUp, long AliasesGivenUp, long QueriesGivenUp, long ChainsCut, long Unasked,
    long Damaged);

/// <summary>
/// What endpoints have been answered: names, their aliases and addresses, each with its own end; from it follows which addresses stand
/// behind which sets of names. One loop has it; the time is whatever its caller counts in milliseconds, and never goes backwards.
/// </summary>
/// <remarks>
/// Of a response counts what leads from the question's name to addresses, and nothing else that stands beside it: a resolver that passes
/// on what it was given passes on others' names, too. A name that lies in several responses' chains has what each says, as long as that
/// says.
/// </remarks>
internal sealed class NameCache(NameCacheSettings settings)
{
    private const int MostAliases = 8, MostSources = 256, MostWalked = 4096;

    private readonly Dictionary<string, NameTable> tables = [];
    private readonly Dictionary<string, DnsQueries> queries = [];
    private DomainSets sets = DomainSets.None;
    private int total;
    private NameCacheCounts counts;
    /// <summary>Numbers of responses and of walks: what bears one has been there.</summary>
    private long response, walk;

    // Used by one call at a time, and kept for the next.
    private readonly byte[] question = new byte[DnsName.Longest], owner = new byte[DnsName.Longest], target = new byte[DnsName.Longest];
    private (DnsRecord Record, int Hash)[] records = new (DnsRecord, int)[16];
    private readonly List<int> matched = [];
    private readonly List<CachedName> chain = [], rising = [], falling = [];
    private Dictionary<(int Set, Address Address), int> collected = [];

    public NameCacheSettings Settings => settings;
    public NameCacheCounts Counts => counts with { Names = total };

    /// <summary>Sets are others now.</summary>
    /// <param name="openings">Gets what the cache says of those that were not there before, by their ids.</param>
    public void Apply(DomainSets after, long now, List<Opening> openings)
    {
        var before = sets;
        sets = after;
        foreach (var (endpoint, table) in tables)
        {
            collected.Clear();
            foreach (var name in table.All)
            {
                name.Sets = SetsOf(name.Octets);
                table.Rank(name);
                if (name.Sets.Any(set => !before.Has(set))) Open(endpoint, name, set => !before.Has(set), now, openings);
            }
        }
        ForgetCollected();
    }

    /// <summary>A packet towards a trusted server: if it is a query, its response may come.</summary>
    /// <returns>False: it is none.</returns>
    public bool Asked(in DnsFlow flow, ReadOnlySpan<byte> message, long now)
    {
        if (!DnsMessage.TryRead(message, question, out var query) || query is not { IsResponse: false, Opcode: 0 }) return false;
        if (!queries.TryGetValue(flow.Endpoint, out var waiting))
            queries.Add(flow.Endpoint, waiting = new(settings.QueriesPerEndpoint, (long)settings.QueryLife.TotalMilliseconds));
        if (!waiting.Add(flow, query, now)) counts = counts with { QueriesGivenUp = counts.QueriesGivenUp + 1 };
        return true;
    }

    /// <summary>A packet from a trusted server; the flow is the query's.</summary>
    /// <param name="openings">Gets all that is open because of it, whether or not it was open before.</param>
    public Heard Answered(in DnsFlow flow, ReadOnlySpan<byte> message, long now, List<Opening> openings)
    {
        if (!DnsMessage.TryRead(message, question, out var read) || read is not { IsResponse: true, Opcode: 0 }) return Damaged();
        if (!queries.TryGetValue(flow.Endpoint, out var waiting) || !waiting.Answer(flow, read, now))
        {
            counts = counts with { Unasked = counts.Unasked + 1 };
            return Heard.Unasked;
        }
        if (read.Code != 0 || read.Class != DnsMessage.Internet) return Heard.Empty;
        var count = 0;
        bool isDamaged;
        while (read.Next(out var record, out isDamaged))
        {
            if (record.Class != DnsMessage.Internet || record.Type is not (DnsType.A or DnsType.Aaaa or DnsType.Cname)) continue;
            var length = read.Owner(record, owner);
            if (length < 0) { isDamaged = true; break; }
            if (count == records.Length) Array.Resize(ref records, count * 2);
            records[count++] = (record, DnsNameComparer.Instance.GetHashCode(owner.AsSpan(0, length)));
        }
        // Where it was cut off the last record may be half there, and resolvers that do not ask again use the others.
        if (isDamaged && !read.IsTruncated) return Damaged();
        if (count == 0) return Heard.Empty;
        var endpoint = settings.Isolation == DnsIsolation.Node ? "" : flow.Endpoint;
        if (!tables.TryGetValue(endpoint, out var table)) tables.Add(endpoint, table = new());
        Learn(table, read, count, flow.Server, now);
        Clean(table, now);
        Open(endpoint, now, openings);
        return chain.Count > 0 ? Heard.Learned : Heard.Empty;
    }

    private Heard Damaged()
    {
        counts = counts with { Damaged = counts.Damaged + 1 };
        return Heard.Damaged;
    }

    /// <summary>From the question's name along the aliases; the records may stand in any order.</summary>
    private void Learn(NameTable table, in DnsMessage message, int count, Address server, long now)
    {
        response++;
        chain.Clear();
        var name = message.Name;
        CachedName? before = null;
        Learning by = default;
        while (true)
        {
            var (known, next, taken) = (default(CachedName), -1, 0);
            var hash = DnsNameComparer.Instance.GetHashCode(name);
            for (var index = 0; index < count; index++)
            {
                var (record, hashed) = records[index];
                if (hashed != hash || !name.SequenceEqual(owner.AsSpan(0, message.Owner(record, owner)))) continue;
                if (record.Type == DnsType.Cname)
                {
                    if (next < 0) next = index;
                }
                else if (message.Address(record) is { } address)
                {
                    known ??= Known(table, name);
                    // What more a response has than a name may have is not even looked at.
                    if (++taken > settings.AddressesPerName || !known.Set(address, By(server, record.Ttl, now), settings.AddressesPerName))
                        counts = counts with { AddressesGivenUp = counts.AddressesGivenUp + 1 };
                }
            }
            if (known == null && (next >= 0 || before != null)) known = Known(table, name);
            if (known == null) return;
            // An alias of itself, or of what leads to it, leads nowhere.
            if (chain.Contains(known)) return;
            if (before != null && !before.Alias(known, by, MostAliases, MostSources))
                counts = counts with { AliasesGivenUp = counts.AliasesGivenUp + 1 };
            chain.Add(known);
            if (next < 0) return;
            if (chain.Count > settings.ChainLength)
            {
                counts = counts with { ChainsCut = counts.ChainsCut + 1 };
                return;
            }
            (before, by) = (known, By(server, records[next].Record.Ttl, now));
            var length = message.Target(records[next].Record, target);
            if (length < 0) return;
            // The name moves on, and is asked for again in a place of its own.
            target.AsSpan(0, length).CopyTo(question);
            name = question.AsSpan(0, length);
        }
    }

    private Learning By(Address server, uint ttl, long now) => new(server, ttl, now, now + settings.Lifetime(ttl));

    private CachedName Known(NameTable table, ReadOnlySpan<byte> octets)
    {
        if (table.Find(octets) is not { } name)
        {
            while (table.Count >= settings.NamesPerEndpoint && GiveUp(table)) { }
            while (total >= settings.Names && GiveUp(tables.Values.MaxBy(each => each.Count)!)) { }
            name = new(octets.ToArray()) { Sets = SetsOf(octets), Response = response };
            table.Add(name);
            total++;
            return name;
        }
        name.Response = response;
        table.Use(name);
        return name;
    }

    private bool GiveUp(NameTable table)
    {
        if (table.Victim(response) is not { } victim) return false;
        Remove(table, victim);
        counts = counts with { NamesGivenUp = counts.NamesGivenUp + 1 };
        return true;
    }

    private void Remove(NameTable table, CachedName name)
    {
        table.Remove(name);
        total--;
    }

    /// <summary>What was used longest ago goes once it has ended: two for each that is used now, so it does not pile up.</summary>
    private void Clean(NameTable table, long now)
    {
        var (other, askedFor) = table.Ends;
        if (other != null && other.HasEnded(now)) Remove(table, other);
        if (askedFor != null && askedFor.HasEnded(now)) Remove(table, askedFor);
    }

    private int[] SetsOf(ReadOnlySpan<byte> octets)
    {
        matched.Clear();
        sets.Match(octets, matched);
        return matched.Count == 0 ? [] : [.. matched];
    }

    /// <summary>All names that lead to one of the chain, those in it among them: what each leads to is open for its sets.</summary>
    private void Open(string endpoint, long now, List<Opening> openings)
    {
        if (chain.Count == 0) return;
        walk++;
        rising.Clear();
        foreach (var name in chain)
            if (name.Walk != walk) Rise(name);
        for (var index = 0; index < rising.Count && rising.Count < MostWalked; index++)
            foreach (var source in rising[index].Sources)
                if (source.Walk != walk) Rise(source);
        collected.Clear();
        foreach (var name in rising)
            if (name.Sets.Length > 0) Open(endpoint, name, null, now, openings);
        ForgetCollected();
    }

    private void Rise(CachedName name)
    {
        name.Walk = walk;
        rising.Add(name);
    }

    /// <param name="of">Which of its sets; null: all.</param>
    private void Open(string endpoint, CachedName name, Predicate<int>? of, long now, List<Opening> openings)
    {
        Fall(name, now);
        foreach (var below in falling)
            foreach (var (address, by) in below.Addresses)
                if (Math.Min(by.Until, below.WalkUntil) is var until && until > now)
                    foreach (var set in name.Sets)
                        if (of == null || of(set)) Collect(new(set, endpoint, address, until), openings);
    }

    private void Collect(Opening opening, List<Opening> openings)
    {
        var key = (opening.Set, opening.Address);
        if (!collected.TryGetValue(key, out var at))
        {
            collected.Add(key, openings.Count);
            openings.Add(opening);
        }
        else if (openings[at].Until < opening.Until) openings[at] = opening;
    }

    /// <summary>A table that was large once is slow to empty ever after.</summary>
    private void ForgetCollected()
    {
        if (collected.Count > 1024) collected = [];
        else collected.Clear();
    }

    /// <summary>The names that this one leads to, itself first, each with the end of the way there: of its shortest-lived link, and of
    /// several ways the one that lasts longest.</summary>
    private void Fall(CachedName from, long now)
    {
        walk++;
        falling.Clear();
        (from.Walk, from.WalkUntil) = (walk, long.MaxValue);
        falling.Add(from);
        var (level, steps) = (0, 0);
        for (var depth = 0; depth < settings.ChainLength && level < falling.Count; depth++)
        {
            var end = falling.Count;
            for (; level < end && steps < MostWalked; level++)
                foreach (var (below, by) in falling[level].Aliases)
                {
                    steps++;
                    var until = Math.Min(by.Until, falling[level].WalkUntil);
                    if (until <= now) continue;
                    if (below.Walk == walk)
                    {
                        // Behind it the ways of before hold: never longer than they last.
                        below.WalkUntil = Math.Max(below.WalkUntil, until);
                        continue;
                    }
                    (below.Walk, below.WalkUntil) = (walk, until);
                    falling.Add(below);
                }
        }
    }

    /// <summary>Where a name leads, as far as that lasts.</summary>
    public List<Address> AddressesOf(string endpoint, ReadOnlySpan<byte> name, long now)
    {
        var found = new List<Address>();
        if (!tables.TryGetValue(settings.Isolation == DnsIsolation.Node ? "" : endpoint, out var table) || table.Find(name) is not { } from)
            return found;
        Fall(from, now);
        foreach (var below in falling)
            foreach (var (address, by) in below.Addresses)
                if (by.Until > now && !found.Contains(address)) found.Add(address);
        return found;
    }

    /// <summary>An endpoint is gone: who has its interface's name next has looked nothing up.</summary>
    public void Forget(string endpoint)
    {
        queries.Remove(endpoint);
        if (settings.Isolation == DnsIsolation.Node || !tables.Remove(endpoint, out var table)) return;
        total -= table.Count;
    }

    /// <summary>By which names an address is open, or would be.</summary>
    /// <param name="endpoint">Null: for anybody.</param>
    public IEnumerable<NameExplanation> Explain(Address address, string? endpoint, long now)
    {
        foreach (var (of, table) in tables)
        {
            if (endpoint != null && settings.Isolation == DnsIsolation.Pod && of != endpoint) continue;
            foreach (var name in table.All)
                foreach (var (at, by) in name.Addresses)
                    if (at == address && by.Until > now)
                        foreach (var explanation in Explain(of, name, [DnsName.Text(name.Octets)], at, by, by.Until, now))
                            yield return explanation;
        }
    }

    private IEnumerable<NameExplanation> Explain(
        string endpoint, CachedName name, ListOf<string> way, Address address, Learning by, long until, long now)
    {
        if (name.Sets.Length > 0 || name.Sources.Count == 0) yield return new(endpoint, way, [.. name.Sets], address, by, until);
        if (way.Count > settings.ChainLength) yield break;
        foreach (var source in name.Sources)
        {
            var link = source.Aliases.Find(one => one.Target == name).By.Until;
            var text = DnsName.Text(source.Octets);
            if (link <= now || way.Contains(text)) continue;
            foreach (var longer in Explain(endpoint, source, [text, .. way], address, by, Math.Min(until, link), now)) yield return longer;
        }
    }

    /// <summary>To be written down.</summary>
    /// <param name="wall">What the wall clock says at <paramref name="now"/>.</param>
    public NameCacheImage Image(int epoch, long now, DateTimeOffset wall)
    {
        var ahead = wall.ToUnixTimeMilliseconds() - now;
        var saved = Names.Select(one => SavedNames.Of(one.Endpoint, one.Name, now, ahead)).Where(name => name != null);
        return new(NameCacheImage.CurrentVersion, epoch, settings.Isolation, [.. saved.Select(name => name!)]);
    }

    /// <summary>What was written down, of a cache that is empty yet; what it opens, <see cref="Apply"/> says afterwards. What cannot be
    /// read of it is left out.</summary>
    /// <returns>How many names count.</returns>
    public int Restore(NameCacheImage image, long now, DateTimeOffset wall)
    {
        var (ahead, longest) = (wall.ToUnixTimeMilliseconds() - now, settings.Lifetime(int.MaxValue));
        // No name is given up for another one while there is room, and the written were within their bounds.
        foreach (var saved in image.Names)
        {
            if (DnsName.Parse(saved.Name) is not { Length: > 0 } octets || total >= settings.Names) continue;
            response++;
            foreach (var one in saved.Addresses)
                if (Address.TryParse(one.To, out var address) && SavedNames.Read(one, now, ahead, longest) is { } by)
                    Restored(saved.Endpoint, octets).Set(address, by, settings.AddressesPerName);
            foreach (var one in saved.Aliases)
                if (DnsName.Parse(one.To) is { Length: > 0 } target && SavedNames.Read(one, now, ahead, longest) is { } by)
                    Restored(saved.Endpoint, octets).Alias(Restored(saved.Endpoint, target), by, MostAliases, MostSources);
        }
        return total;
    }

    private CachedName Restored(string endpoint, byte[] octets)
    {
        if (!tables.TryGetValue(endpoint, out var table)) tables.Add(endpoint, table = new());
        return Known(table, octets);
    }

    /// <summary>What is kept of names, for who lists it or writes it down.</summary>
    public IEnumerable<(string Endpoint, CachedName Name)> Names =>
        tables.SelectMany(table => table.Value.All.Select(name => (table.Key, name)));
}
