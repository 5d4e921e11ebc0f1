// /v1/events: server-sent events for those who watch. Each event carries what the GET of the same name answers (status, peers,
// kernel, bfd), once at the start and then only when something of it has changed: counters of routes and updates count as change,
// clocks, keepalives and timers do not. Sampled, so a flapping table costs a watcher two answers a second, not one a route. Denied flows
// (denied), which must be asked for, come each once: at the start those that are kept, then what is new. So do responses of the DNS (dns),
// of which none is kept while nobody watches: at the start an empty list says that from now on they are.

using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal sealed class EventStream(ISpeaker speaker, IDaemon daemon, Loops loops, TimeProvider time, CancellationToken stopping)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private const int SamplesPerHeartbeat = 30;

    public IDataplane? Dataplane { get; set; }

    public SavedTranslations? Saved { get; set; }

    /// <summary>GET /v1/events?topics=status,peers,kernel,bfd,denied,dns; without topics: all but the last two.</summary>
    public async Task WriteAsync(HttpContext http, Place place)
    {
        if (Topics(http) is not { } topics)
        {
            var asked = http.Request.Query["topics"];
            var words = $"expected topics of status, peers, kernel, bfd, denied, dns, got \"{asked}\"";
            var error = new ErrorAnswer(AnswerCode.BadQuery, words, "topics");
            await Answer.ErrorAsync(http, error).ConfigureAwait(false);
            return;
        }
        Answer.Begin(http, "text/event-stream");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        using var ticks = new PeriodicTimer(Interval, time);
        await FollowAsync(http, place, topics, ticks, stop.Token).ConfigureAwait(false);
    }

    private async Task FollowAsync(HttpContext http, Place place, string[] topics, PeriodicTimer ticks, CancellationToken stop)
    {
        Sample? before = null;
        long? heard = null;
        for (var quiet = 0; ; quiet++)
        {
            var now = Sample.Of(speaker, daemon, Dataplane);
            foreach (var topic in topics)
            {
                if (topic == "dns")
                {
                    var (last, lookups) = await HearAsync(heard, stop).ConfigureAwait(false);
                    if (heard != null && lookups.Count == 0) continue;
                    Event(http, "dns"u8, lookups, Answer.Json.IReadOnlyListDnsLookupAnswer);
                    (heard, quiet) = (last, 0);
                    continue;
                }
                if (before != null && now.Same(before, topic)) continue;
                Write(http, topic, now.Denied.Where(flow => !(flow.Number <= before?.LastDenied)));
                quiet = 0;
            }
            before = now;
            // Nothing to say for long: a comment finds out whether anybody is there.
            if (quiet > 0 && quiet % SamplesPerHeartbeat == 0) Answer.Put(http, ": still here\n\n"u8);
            await place.FlushAsync(stop).ConfigureAwait(false);
            if (!await ticks.WaitForNextTickAsync(stop).ConfigureAwait(false)) return;
        }
    }

    private async Task<(long Last, IReadOnlyList<DnsLookupAnswer> Lookups)> HearAsync(long? after, CancellationToken stop)
    {
        var heard = Dataplane is { } there ? await there.DnsWatchAsync(after, stop).ConfigureAwait(false) : DnsHeard.Nothing;
        return (heard.Last, [.. heard.Lookups.Select(DnsLookupAnswer.Of)]);
    }

    private void Write(HttpContext http, string topic, IEnumerable<PolicyFlow> denied)
    {
        switch (topic)
        {
            case "status":
                Event(http, "status"u8, StatusAnswers.Status(speaker, daemon, loops, Dataplane, Saved), Answer.Json.StatusAnswer);
                break;
            case "peers": Event(http, "peers"u8, StatusAnswers.Peers(speaker), Answer.Json.IReadOnlyListPeerAnswer); break;
            case "bfd": Event(http, "bfd"u8, BfdAnswers.All(speaker), Answer.Json.IReadOnlyListBfdAnswer); break;
            case "denied": Event(http, "denied"u8, PolicyAnswers.Of(denied), Answer.Json.IReadOnlyListDeniedFlowAnswer); break;
            default: Event(http, "kernel"u8, StatusAnswers.Kernel(speaker), Answer.Json.KernelAnswer); break;
        }
    }

    private static void Event<T>(HttpContext http, ReadOnlySpan<byte> name, T value, JsonTypeInfo<T> type)
    {
        Answer.Put(http, "event: "u8);
        Answer.Put(http, name);
        Answer.Put(http, "\ndata: "u8);
        Answer.Put(http, JsonSerializer.SerializeToUtf8Bytes(value, type));
        Answer.Put(http, "\n\n"u8);
    }

    private static string[]? Topics(HttpContext http)
    {
        var asked = http.Request.Query["topics"].ToString();
        string[] topics = asked.Length == 0 ? ["status", "peers", "kernel", "bfd"] : asked.Split(',');
        return topics.All(topic => topic is "status" or "peers" or "kernel" or "bfd" or "denied" or "dns") ? topics : null;
    }

    /// <summary>What a change shows in.</summary>
    private sealed record Sample(
        IReadOnlyList<ProtocolStatus> Protocols, KernelStatus Kernel, long KernelVersion, DateTimeOffset Reconfigured, bool Ready,
        bool ShuttingDown, ReloadStatus? LastReload, IReadOnlyList<BfdNeighbour> Bfd)
    {
        public ImmutableArray<PolicyFlow> Denied { get; private init; } = [];

        public long LastDenied => Denied.IsEmpty ? 0 : Denied[^1].Number;

        public static Sample Of(ISpeaker speaker, IDaemon daemon, IDataplane? dataplane)
        {
            var router = speaker.Router;
            return new(
                speaker.Protocols, speaker.KernelStatus, speaker.KernelState.Version, router.Reconfigured, speaker.Ready,
                router.ShuttingDown, daemon.LastReload, speaker.Bfd)
            {
                Denied = dataplane?.Denied.Flows ?? [],
            };
        }

        public bool Same(Sample before, string topic) => topic switch
        {
            "peers" => SameProtocols(before),
            "bfd" => SameBfd(before),
            "denied" => LastDenied == before.LastDenied,
            "kernel" => SameKernel(before) && KernelVersion == before.KernelVersion,
            _ => SameProtocols(before) && SameKernel(before)
                && (Reconfigured, Ready, ShuttingDown, LastReload)
                    == (before.Reconfigured, before.Ready, before.ShuttingDown, before.LastReload),
        };

        private bool SameProtocols(Sample before) =>
            Protocols.Count == before.Protocols.Count && Protocols.Zip(before.Protocols).All(pair => SameProtocol(pair.First, pair.Second));

        private static bool SameProtocol(ProtocolStatus a, ProtocolStatus b) =>
            (a.Name, a.Enabled, a.Up, a.Since, a.Message, a.Description) == (b.Name, b.Enabled, b.Up, b.Since, b.Message, b.Description)
            && Life(a.Session) == Life(b.Session) && a.Channels.AsSpan().SequenceEqual(b.Channels.AsSpan());

        private static (Phase?, DateTimeOffset?, SessionFaults?, SessionSettings?) Life(SessionSnapshot? session) =>
            (session?.Phase, session?.Since, session?.Faults, session?.Settings);

        private bool SameBfd(Sample before) => Bfd.Count == before.Bfd.Count && Bfd.Zip(before.Bfd).All(
            pair => pair.First.Session == pair.Second.Session && pair.First.Peers.AsSpan().SequenceEqual(pair.Second.Peers.AsSpan()));

        private bool SameKernel(Sample before) => Kernel == before.Kernel with { Refusals = Kernel.Refusals }
            && Kernel.Refusals.AsSpan().SequenceEqual(before.Kernel.Refusals.AsSpan());
    }
}
