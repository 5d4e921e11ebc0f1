using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>What others see of it: how it stands, what is known of names, and what is heard while it is watched.</summary>
internal sealed partial class DnsLoop
{
    private readonly DnsWatch watch = new(clock);
    /// <summary>Of the packet that is being read; over TCP it may end several messages.</summary>
    private readonly List<DnsLookup> looked = [];
    private int openNow, namesNow, streamsNow;
    private long givenUpNow;

    /// <summary>Why nothing waits that should; null: it does.</summary>
    private string? Unheld { get; set; }

    /// <summary>Of what waits for the next turn to be noted, too.</summary>
    public DnsView View => view with
    {
        Open = Volatile.Read(ref openNow) + committed.Sum(batch => batch.Openings.Count),
        Unheld = view.IsInUse && view.Problem == null ? Unheld : null,
        Names = Volatile.Read(ref namesNow),
        Streams = Volatile.Read(ref streamsNow),
        GivenUp = Volatile.Read(ref givenUpNow),
        Counts = new(Volatile.Read(ref queries), Volatile.Read(ref responses), Volatile.Read(ref held),
            TimeSpan.FromTicks(Volatile.Read(ref heldTicks)), Volatile.Read(ref unprogrammed), Volatile.Read(ref unasked),
            Volatile.Read(ref damaged), Volatile.Read(ref opened))
        {
            Delayed = Volatile.Read(ref delayed),
        },
    };

    /// <summary>By which names, and by whose word, an address is open to an endpoint: a sentence each.</summary>
    /// <param name="endpoint">Its interface; empty: this host.</param>
    public Task<ImmutableArray<string>> ExplainAsync(Address address, string endpoint, CancellationToken stop) => LookAsync(() =>
        from one in cache.Explain(address, endpoint, Now)
        where one.Sets.Any(sets.ContainsKey)
        select $"{address} is open by {string.Join(", which is ", one.Names)}: {one.By.Server} has told, and it stays so for "
            + $"{Seconds(one.Until)} s", stop);

    /// <summary>What is known of names, by interface and name.</summary>
    /// <param name="asked">Of this name alone; null: of all.</param>
    public Task<ImmutableArray<DnsCacheEntry>> NamesAsync(string? asked, CancellationToken stop)
    {
        var only = asked == null ? null : DnsName.Parse(asked) ?? [];
        return LookAsync(() => cache.Names.Where(one => only == null || one.Name.Octets.AsSpan().SequenceEqual(only))
            .Select(one => Entry(one.Endpoint, one.Name)).OrderBy(one => one.Endpoint, StringComparer.Ordinal)
            .ThenBy(one => one.Name, StringComparer.Ordinal), stop);
    }

    private DnsCacheEntry Entry(string endpoint, CachedName name) => new(
        endpoint, DnsName.Text(name.Octets), name.Sets.Any(sets.ContainsKey),
        [.. name.Aliases.Where(one => one.By.Until > Now).Select(one => Target(DnsName.Text(one.Target.Octets), one.By))],
        [.. name.Addresses.Where(one => one.By.Until > Now).Select(one => Target(one.Address.ToString(), one.By))]);

    private DnsCacheTarget Target(string to, in Learning by) => new(to, by.Server.ToString(), by.Ttl, Seconds(by.Until));

    private long Seconds(long until) => (until - Now + 999) / 1000;

    /// <summary>Answered on the loop; nothing, while nobody is heard.</summary>
    private async Task<ImmutableArray<T>> LookAsync<T>(Func<IEnumerable<T>> look, CancellationToken stop)
    {
        if (queues is not { } listening) return [];
        var answer = new TaskCompletionSource<ImmutableArray<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        looks.Enqueue(() => answer.TrySetResult([.. look()]));
        listening.Ring();
        return await answer.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    /// <summary>What was heard since; and from now on for a while what is heard is kept for whoever asks so again.</summary>
    public DnsHeard Watch(long? after) => watch.Since(after);

    private void Look(in DnsFlow flow, ReadOnlySpan<byte> message, Heard heard, int opensBefore)
    {
        var octets = new byte[DnsName.Longest];
        var isRead = DnsMessage.TryRead(message, octets, out var read);
        var name = isRead ? DnsName.Text(read.Name) : "";
        var result = heard switch
        {
            Heard.Unasked => DnsResult.Unasked,
            Heard.Damaged => DnsResult.Damaged,
            _ => openings.Count == opensBefore ? DnsResult.Nothing : DnsResult.Open,
        };
        looked.Add(new(flow.Endpoint, name, isRead ? read.Type : (ushort)0, flow.Server.ToString(), result)
        {
            Addresses = heard == Heard.Learned ? [.. cache.AddressesOf(flow.Endpoint, read.Name, Now).Select(one => one.ToString())] : [],
            Opened = [.. openings.Skip(opensBefore).Where(one => sets.ContainsKey(one.Set)).Select(one =>
                new DnsOpened(one.Address.ToString(), string.Join(' ', sets[one.Set].Patterns), Seconds(one.Until)))],
        });
    }

    /// <param name="waits">What the packet waits for; null: it goes on at once.</param>
    private void Watched(DnsBatch? waits)
    {
        if (looked.Count == 0) return;
        foreach (var lookup in looked)
            if (waits != null && lookup.Result == DnsResult.Open) waits.Lookups.Add(lookup);
            else watch.Add(lookup);
        looked.Clear();
    }

    /// <summary>Whoever looks sees it as it is behind this turn.</summary>
    private void Count()
    {
        var kept = cache.Counts;
        Volatile.Write(ref openNow, open.Count);
        Volatile.Write(ref namesNow, kept.Names);
        Volatile.Write(ref streamsNow, streams.Count);
        Volatile.Write(ref givenUpNow, kept.NamesGivenUp + kept.AddressesGivenUp + kept.AliasesGivenUp + kept.QueriesGivenUp
            + kept.ChainsCut + streams.GivenUp + closed);
    }
}
