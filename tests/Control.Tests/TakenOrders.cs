using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Tests;

/// <summary>What a made-up speaker was told to do, in words.</summary>
public abstract class TakenOrders
{
    public List<string> Orders { get; } = [];

    public void Enable(string protocol) => Orders.Add($"enable {protocol}");
    public void Disable(string protocol, string? text) => Orders.Add($"disable {protocol} {text}".TrimEnd());
    public void Restart(string protocol, string? text) => Orders.Add($"restart {protocol} {text}".TrimEnd());
    public void Reload(string protocol, ReloadDirection direction) => Orders.Add($"reload {protocol} {direction}");

    public Task<string?> AnnounceAsync(RouteLease lease)
    {
        Orders.Add($"announce {lease.Producer} {lease.Prefix} {lease.Ttl} {lease.Said}");
        return Task.FromResult<string?>(lease.Producer == "greedy" ? "greedy has enough" : null);
    }

    public Task<string?> WithdrawAsync(string producer, Prefix prefix)
    {
        Orders.Add($"withdraw {producer} {prefix}");
        return Task.FromResult(producer == "nobody" ? "nobody does not announce it" : null);
    }

    public Task<ImmutableArray<string>> DrainAsync(string? peer, TimeSpan wait, string? reason)
    {
        Orders.Add($"drain {peer ?? "all"} {wait.TotalSeconds} {reason}".TrimEnd());
        return Task.FromResult<ImmutableArray<string>>([peer ?? "all"]);
    }

    public Task<ImmutableArray<string>> UndrainAsync(string? peer)
    {
        Orders.Add($"undrain {peer ?? "all"}");
        return Task.FromResult<ImmutableArray<string>>([]);
    }
}
