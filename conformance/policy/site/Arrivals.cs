using System.Collections.Concurrent;
using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>Where a packet came out, and who its sender was there.</summary>
internal sealed record Arrival(string At, IPEndPoint Seen);

/// <summary>By tokens, for as long as a test lives: what came late came, too.</summary>
internal sealed class Arrivals
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource<Arrival>> came = [];

    public void Add(long token, Arrival arrival) => Expected(token).TrySetResult(arrival);

    /// <summary>Ends when it comes, if it does.</summary>
    public Task<Arrival> WaitAsync(long token) => Expected(token).Task;

    public Arrival? Of(long token) => WaitAsync(token) is { IsCompletedSuccessfully: true } here ? here.Result : null;

    private TaskCompletionSource<Arrival> Expected(long token) =>
        came.GetOrAdd(token, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
