// How many may be answered at once, by what it costs. Whoever finds no place is told so at once, and may come again: nobody waits in line,
// so nobody's line gets long. Probes have places that nobody else can hold. Whole tables are few, since each keeps the tables' owner and a
// processor at work; one whose reader has not taken anything for a while gives its place to the next who asks.

using System.IO.Pipelines;
using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Http;

internal enum PlaceKind
{
    /// <summary><c>/live</c> and <c>/ready</c>.</summary>
    Probe,
    /// <summary>What is short, orders among it.</summary>
    Answer,
    /// <summary><c>/v1/events</c>: costs little, and lasts.</summary>
    Events,
    /// <summary>All routes, or many.</summary>
    Table,
}

internal sealed class Places(bool isTrusted, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromMinutes(1);

    /// <summary>Who has not taken anything for so long may be reading page by page: he goes when another wants the place.</summary>
    public static readonly TimeSpan Standstill = TimeSpan.FromSeconds(5);

    /// <summary>And after this in any case. On ports the web server sees to it (<see cref="HttpControl"/>).</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly Lock gate = new();
    private readonly HashSet<Place> taken = [];
    private readonly LineLimit lines = new(LineInterval, time);

    public const int All = 16 + 32 + 16 + 4;

    public static int Most(PlaceKind kind) => kind switch
    {
        PlaceKind.Probe => 16,
        PlaceKind.Answer => 32,
        PlaceKind.Events => 16,
        _ => 4,
    };

    public async Task HoldAsync(HttpContext http, PlaceKind kind, Func<Place, Task> answer)
    {
        using var place = TryTake(http, kind);
        if (place != null) await answer(place).ConfigureAwait(false);
        else await RefuseAsync(http, kind).ConfigureAwait(false);
    }

    public void Leave(Place place)
    {
        lock (gate) taken.Remove(place);
    }

    private Place? TryTake(HttpContext http, PlaceKind kind)
    {
        lock (gate)
        {
            if (taken.Count(place => place.Kind == kind) >= Most(kind) && !MakeRoom(kind)) return null;
            var place = new Place(kind, http, this, isTrusted, time);
            taken.Add(place);
            return place;
        }
    }

    private bool MakeRoom(PlaceKind kind)
    {
        var standing = taken.Where(place => place.Kind == kind).MaxBy(place => place.StandsStillFor);
        if (standing == null || standing.StandsStillFor < Standstill) return false;
        taken.Remove(standing);
        standing.End();
        return true;
    }

    private Task RefuseAsync(HttpContext http, PlaceKind kind)
    {
        bool says;
        int unsaid;
        lock (gate) says = lines.Say(out unsaid);
        if (says) HttpLog.Refused(log, http.Request.Path, Most(kind), unsaid);
        http.Response.Headers.RetryAfter = "1";
        // It may not even read this; its connection is not to be held for it.
        http.Response.Headers.Connection = "close";
        return Answer.ErrorAsync(
            http, AnswerCode.Busy,
            $"{Most(kind)} requests for {Words(kind)} are being answered, and there is no place for more: ask again in a moment");
    }

    private static string Words(PlaceKind kind) => kind switch
    {
        PlaceKind.Probe => "/live and /ready",
        PlaceKind.Answer => "short answers",
        PlaceKind.Events => "/v1/events",
        _ => "whole tables",
    };
}

/// <summary>The place of one who is being answered; of answers that are streams, also whether its reader takes them.</summary>
internal sealed class Place : IDisposable
{
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(5);

    private readonly HttpContext http;
    private readonly Places places;
    private readonly TimeProvider time;
    private readonly ITimer? watch;
    private readonly Lock gate = new();
    private long? waitsSince;
    private bool isOver;

    public Place(PlaceKind kind, HttpContext http, Places places, bool isTrusted, TimeProvider time)
    {
        (Kind, this.http, this.places, this.time) = (kind, http, places, time);
        if (!isTrusted || kind is not (PlaceKind.Events or PlaceKind.Table)) return;
        // A person who reads page by page is no attacker.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        watch = time.CreateTimer(_ => EndAfterPatience(), null, Glance, Timeout.InfiniteTimeSpan);
    }

    public PlaceKind Kind { get; }

    /// <summary>How long the reader has not taken anything that is there for him.</summary>
    public TimeSpan StandsStillFor
    {
        get
        {
            lock (gate) return waitsSince is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero;
        }
    }

    /// <summary>Hands over what has been written. Ends once most of it has been taken.</summary>
    /// <exception cref="OperationCanceledException">The reader has gone, or his place was given away.</exception>
    public async ValueTask FlushAsync(CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var flushing = http.Response.BodyWriter.FlushAsync(stop);
        var flushed = flushing.IsCompletedSuccessfully ? flushing.Result : await WaitAsync(flushing).ConfigureAwait(false);
        // To one who has gone everything is written at once.
        if (flushed.IsCompleted) throw new OperationCanceledException("the reader has gone");
    }

    private async ValueTask<FlushResult> WaitAsync(ValueTask<FlushResult> flushing)
    {
        lock (gate) waitsSince = time.GetTimestamp();
        try
        {
            return await flushing.ConfigureAwait(false);
        }
        finally
        {
            lock (gate) waitsSince = null;
        }
    }

    /// <summary>Hangs up, unless the answer is over and the connection another one's.</summary>
    public void End()
    {
        lock (gate)
        {
            if (!isOver) http.Abort();
        }
    }

    public void Dispose()
    {
        lock (gate) isOver = true;
        watch?.Dispose();
        places.Leave(this);
    }

    private void EndAfterPatience()
    {
        if (StandsStillFor >= Places.Patience) End();
        else watch?.Change(Glance, Timeout.InfiniteTimeSpan);
    }
}
