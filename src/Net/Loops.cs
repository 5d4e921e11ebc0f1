using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Net;

/// <summary>
/// All loops of the house that run. Nobody else makes a thread or a task that lives: so each has a written policy for a defect, each defect
/// is one line of the log with the loop's name, and health can ask for every one of them.
/// </summary>
/// <param name="end">Ends the process, by the host. Called once, after the line of the log; what falls with the first is not told.</param>
public sealed class Loops(TimeProvider time, ILogger<Loops> log, Action<Loop, Exception> end)
{
    /// <summary>The loops' clock.</summary>
    public TimeProvider Time => time;

    /// <summary>No turn of a loop takes longer, unless it says so.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Loop, byte> running = new();
    private volatile string? provoked;
    private int ending;

    /// <summary>Those that run, and those that a defect has ended.</summary>
    public IEnumerable<LoopStatus> Status => from loop in running.Keys orderby loop.Name, loop.Of select loop.Status;

    /// <summary>Which loop is dead, or works on one thing for longer than anything should take. Null: none.</summary>
    public string? NotLiveBecause
    {
        get
        {
            foreach (var loop in running.Keys)
            {
                var status = loop.Status;
                if (status.HasFailed) return $"the loop {loop.Words} has ended on a defect";
                if (status.InTurnFor > loop.Patience)
                    return $"the loop {loop.Words} has been at work on one thing for {status.InTurnFor.Value.TotalSeconds:0} s";
            }
            return null;
        }
    }

    /// <summary>A loop on the pool's threads. It ends when its body does, or is cancelled by <paramref name="stop"/>.</summary>
    /// <param name="patience">For bodies whose turns may take longer than a few seconds.</param>
    public Loop Start(
        string name, OnDefect onDefect, Func<Loop, Task> body, string? of = null, TimeSpan? patience = null,
        CancellationToken stop = default)
    {
        var loop = Enter(name, onDefect, of, patience);
        loop.Ended = Task.Run(() => RunAsync(loop, body, stop), CancellationToken.None);
        return loop;
    }

    /// <summary>A loop on a thread of its own: whoever works long without waiting, or waits in the kernel.</summary>
    public Loop StartThread(string name, OnDefect onDefect, Action<Loop> body, string? of = null, TimeSpan? patience = null)
    {
        var loop = Enter(name, onDefect, of, patience);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Ended = ended.Task;
        new Thread(() =>
        {
            Run(loop, body);
            ended.SetResult();
        })
        { IsBackground = true, Name = loop.Words }.Start();
        return loop;
    }

    private Loop Enter(string name, OnDefect onDefect, string? of, TimeSpan? patience)
    {
        var loop = new Loop(this, time, name, of, onDefect, patience ?? Patience);
        running[loop] = 0;
        return loop;
    }

    private async Task RunAsync(Loop loop, Func<Loop, Task> body, CancellationToken stop)
    {
        do
        {
            try
            {
                loop.Begin();
                await body(loop).ConfigureAwait(false);
                break;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception defect)
            {
                Handle(loop, defect);
            }
        }
        while (loop.OnDefect == OnDefect.StartAgain);
        Leave(loop);
    }

    private void Run(Loop loop, Action<Loop> body)
    {
        do
        {
            try
            {
                loop.Begin();
                body(loop);
                break;
            }
            catch (Exception defect)
            {
                Handle(loop, defect);
            }
        }
        while (loop.OnDefect == OnDefect.StartAgain);
        Leave(loop);
    }

    private void Leave(Loop loop)
    {
        if (!loop.HasFailed) running.TryRemove(loop, out _);
    }

    internal void Handle(Loop loop, Exception defect)
    {
        loop.Count(isLast: loop.OnDefect == OnDefect.EndProcess);
        switch (loop.OnDefect)
        {
            case OnDefect.EndProcess when Interlocked.Exchange(ref ending, 1) == 0:
                LoopLog.ProcessEnds(log, loop.Words, defect);
                end(loop, defect);
                break;
            case OnDefect.StartAgain:
                LoopLog.StartsAgain(log, loop.Words, defect);
                break;
            case OnDefect.EndLoop:
                LoopLog.Ends(log, loop.Words, defect);
                break;
        }
    }

    /// <summary>
    /// A drill: the next turn of the loop of this name meets a defect, so that one can see what its policy promises. Once; it may not have
    /// started yet.
    /// </summary>
    public void Provoke(string name) => provoked = name;

    internal void MeetProvoked(Loop loop)
    {
        if (provoked is not { } name || name != loop.Name) return;
        provoked = null;
        throw new InvalidOperationException($"a defect was asked for in the loop {loop.Words}");
    }
}
