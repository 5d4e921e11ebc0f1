using System.Collections.Immutable;
using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Sources;

/// <summary>
/// A source that stands before all others, and says what an operator has put into force for a while. One file is tried at a time; what was
/// confirmed before lies beneath it, and beneath that what the other sources say. An object that was confirmed is let go as soon as its
/// source says something else of it: whoever has applied it there counts again. Nothing is written anywhere, so that a restart takes all
/// back; an upgrade hands it over, with the time that is left.
/// </summary>
public sealed class Trials : ITrials
{
    /// <param name="Text">Of the whole file.</param>
    /// <param name="Meanwhile">Its source has said something else since.</param>
    private sealed record Said(ResourceDefinition Definition, string File, ReadOnlyMemory<byte> Text, bool Meanwhile = false);

    /// <param name="Mark">Stays while its objects change.</param>
    private sealed record Trial(object Mark, ImmutableDictionary<ResourceId, Said> Objects, DateTimeOffset Until, ITimer Timer);

    private readonly Lock gate = new();
    private readonly Bell news = new();
    private readonly ResourceStore store;
    private readonly TimeProvider time;
    private readonly ILogger<Trials> log;
    private ImmutableDictionary<ResourceId, Said> confirmed = ImmutableDictionary<ResourceId, Said>.Empty;
    private Trial? trial;
    /// <summary>Another process has it all, and would not hear of what is done here.</summary>
    private bool isHanded;
    /// <summary>Nobody would be there to take anything back.</summary>
    private bool isEnding;
    private List<TaskCompletionSource> waiting = [];

    public Trials(ResourceStore store, TimeProvider time, ILogger<Trials> log)
    {
        (this.store, this.time, this.log) = (store, time, log);
        store.Masked = Changed;
    }

    public TrialState State
    {
        get
        {
            lock (gate) return new(Objects(), trial?.Until);
        }
    }

    /// <summary>To be run with the other sources, of which it is the last by its number.</summary>
    public ISource Source(int number) => new Overlay(this, number);

    private ImmutableArray<TrialObject> Objects() =>
    [
        .. confirmed.Where(one => trial?.Objects.ContainsKey(one.Key) != true)
            .Select(one => new TrialObject(one.Key, one.Value.File, true, one.Value.Meanwhile))
            .Concat(OfTrial()).OrderBy(one => one.Id),
    ];

    private IEnumerable<TrialObject> OfTrial() =>
        trial == null ? [] : trial.Objects.Select(one => new TrialObject(one.Key, one.Value.File, false, one.Value.Meanwhile));

    public async Task<TrialResult> TryAsync(string file, ReadOnlyMemory<byte> text, TimeSpan within)
    {
        var read = TrialFile.Read(file, text.Span, out var problem);
        if (problem != null) return new(TrialOutcome.Refused, problem, [], State);
        Task counts;
        TrialResult done;
        lock (gate)
        {
            if (Barred is { } barred) return barred;
            if (trial != null)
            {
                var (first, left) = (trial.Objects.First().Value.File, trial.Until - time.GetUtcNow());
                var words = $"{first} is being tried, and is taken back in {left.TotalSeconds:0} s unless it is confirmed: confirm it, or "
                    + "take it back, first";
                return new(TrialOutcome.Busy, words, [.. OfTrial()], new(Objects(), trial.Until));
            }
            Begin(read.ToImmutableDictionary(one => one.Id, one => new Said(one, file, text)), time.GetUtcNow() + within, within);
            done = Done([.. OfTrial().OrderBy(one => one.Id)]);
            counts = Tell();
        }
        log.Tried(file, read.Length, within.TotalSeconds);
        await counts.ConfigureAwait(false);
        return done;
    }

    private void Begin(ImmutableDictionary<ResourceId, Said> objects, DateTimeOffset until, TimeSpan left)
    {
        var mark = new object();
        trial = new(mark, objects, until, time.CreateTimer(TimeIsUp, mark, left, Timeout.InfiniteTimeSpan));
    }

    /// <summary>For the process that takes over. Orders are refused from here on, until it has not (<see cref="Keep"/>).</summary>
    public ImmutableArray<HandedTrial> Hand()
    {
        lock (gate)
        {
            isHanded = true;
            return [.. Hand(confirmed, null), .. trial == null ? [] : Hand(trial.Objects, trial.Until)];
        }
    }

    /// <summary>Nobody has taken over.</summary>
    public void Keep()
    {
        lock (gate) isHanded = false;
    }

    private static IEnumerable<HandedTrial> Hand(ImmutableDictionary<ResourceId, Said> objects, DateTimeOffset? until) =>
        from one in objects.OrderBy(one => one.Key)
        group one by (one.Value.File, one.Value.Text) into file
        select new HandedTrial(file.Key.File, file.Key.Text.ToArray(), until, [.. file.Select(one => one.Key.ToString())],
            [.. file.Where(one => one.Value.Meanwhile).Select(one => one.Key.ToString())]);

    /// <summary>As the process before had it: what is tried has the rest of its time. Completes when it counts.</summary>
    public async Task TakeOverAsync(ImmutableArray<HandedTrial> handed)
    {
        if (handed.IsEmpty) return;
        Task counts;
        lock (gate)
        {
            foreach (var one in handed)
            {
                var objects = Read(one);
                if (one.Until is not { } until) confirmed = confirmed.SetItems(objects);
                else if (until - time.GetUtcNow() is { Ticks: > 0 } left && !objects.IsEmpty) Begin(objects, until, left);
                else log.TimeIsUp(string.Join(", ", one.Objects));
            }
            counts = Tell();
        }
        await counts.ConfigureAwait(false);
    }

    /// <summary>What of it this release reads, too.</summary>
    private ImmutableDictionary<ResourceId, Said> Read(HandedTrial handed)
    {
        var read = TrialFile.Read(handed.File, handed.Text, out var problem);
        if (problem != null) log.NotTakenOver(handed.File, problem);
        return read.Where(one => handed.Objects.Contains(one.Id.ToString())).ToImmutableDictionary(one => one.Id, one =>
            new Said(one, handed.File, handed.Text, handed.Masking.Contains(one.Id.ToString())));
    }

    public async Task<TrialResult> ConfirmAsync()
    {
        Task counts;
        TrialResult done;
        lock (gate)
        {
            if (Barred is { } barred) return barred;
            if (trial == null) return Nothing;
            var objects = OfTrial().OrderBy(one => one.Id).Select(one => one with { IsConfirmed = true }).ToImmutableArray();
            confirmed = confirmed.SetItems(trial.Objects);
            End();
            done = Done(objects);
            counts = Tell();
        }
        log.Confirmed(string.Join(", ", done.Objects.Select(one => one.Id)));
        await counts.ConfigureAwait(false);
        return done;
    }

    public async Task<TrialResult> RevertAsync()
    {
        Task counts;
        TrialResult done;
        lock (gate)
        {
            if (Barred is { } barred) return barred;
            if (trial == null && confirmed.IsEmpty) return Nothing;
            var objects = trial == null ? Objects() : [.. OfTrial().OrderBy(one => one.Id)];
            if (trial == null) confirmed = confirmed.Clear();
            End();
            done = Done(objects);
            counts = Tell();
        }
        log.TakenBack(string.Join(", ", done.Objects.Select(one => one.Id)));
        await counts.ConfigureAwait(false);
        return done;
    }

    /// <summary>The daemon ends, and nobody would be there when the time is up. Completes when it counts.</summary>
    /// <returns>False: nothing is tried, or another process has it.</returns>
    public async Task<bool> EndAsync()
    {
        Task counts;
        string objects;
        lock (gate)
        {
            if (isHanded) return false;
            isEnding = true;
            if (trial == null) return false;
            objects = string.Join(", ", trial.Objects.Keys.Order());
            End();
            counts = Tell();
        }
        log.EndedUnconfirmed(objects);
        await counts.ConfigureAwait(false);
        return true;
    }

    private TrialResult Nothing => new(TrialOutcome.Nothing, "nothing is being tried", [], new(Objects(), null));

    /// <summary>Why nothing can be done any more; null: it can.</summary>
    private TrialResult? Barred => !isHanded && !isEnding ? null : new(
        TrialOutcome.Busy,
        isHanded ? "an upgrade is under way, and the new process has what is tried: say it again in a moment"
            : "bgpd is ending, and takes back what is tried",
        [], new(Objects(), trial?.Until));

    private TrialResult Done(ImmutableArray<TrialObject> objects) => new(TrialOutcome.Done, "", objects, new(Objects(), trial?.Until));

    private void End()
    {
        trial?.Timer.Dispose();
        trial = null;
    }

    private void TimeIsUp(object? mark)
    {
        string objects;
        lock (gate)
        {
            // It may have been confirmed, or another one begun, just now.
            if (trial?.Mark != mark) return;
            objects = string.Join(", ", trial!.Objects.Keys.Order());
            End();
            _ = Tell();
        }
        log.TimeIsUp(objects);
    }

    /// <summary>A source says something else of an object that is tried, or was confirmed. Called by the sources' loop.</summary>
    private void Changed(ResourceId id, Resource? now)
    {
        lock (gate)
        {
            if (trial != null && trial.Objects.TryGetValue(id, out var tried))
                trial = trial with { Objects = trial.Objects.SetItem(id, tried with { Meanwhile = !Equals(tried.Definition.Value, now) }) };
            if (!confirmed.ContainsKey(id)) return;
            confirmed = confirmed.Remove(id);
            _ = Tell();
        }
        log.LetGo(id.ToString());
    }

    /// <returns>Ends when it counts.</returns>
    private Task Tell()
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.Add(told);
        news.Ring();
        return told.Task;
    }

    private (OriginContent Content, List<TaskCompletionSource> Told) Say()
    {
        lock (gate)
        {
            var objects = (trial == null ? confirmed : confirmed.SetItems(trial.Objects)).Values.Select(said => said.Definition);
            var told = waiting;
            waiting = [];
            return (new(ResourceOrigin.Trial, [.. objects.OrderBy(one => one.Id)], []), told);
        }
    }

    private sealed class Overlay(Trials of, int number) : ISource
    {
        private static readonly SourceState Listed = SourceState.Unread with { HasListed = true };

        public string Kind => "trial";
        public string Name => ResourceOrigin.Trial.Name;

        public async Task RunAsync(Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
        {
            while (true)
            {
                var (content, told) = of.Say();
                var said = new SourceUpdate(number, [content], Listed) { Counts = () => told.ForEach(one => one.TrySetResult()) };
                await into.WriteAsync(said, cancellation).ConfigureAwait(false);
                loop.Rest();
                await of.news.HeardAsync(cancellation).ConfigureAwait(false);
                loop.Beat();
            }
        }
    }
}
