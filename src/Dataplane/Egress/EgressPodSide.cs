using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Overlays;
using Calico.Bgp.Kernel.Rules;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>What a gateway pod is.</summary>
/// <param name="Addresses">Its own, one of a family: what packets leave it with, and where nodes send them to.</param>
/// <param name="Link">By which it is reached, and sends.</param>
public sealed record EgressPodSettings(ListOf<Address> Addresses, string Link)
{
    public uint Network { get; init; } = EgressOverlay.DefaultNetwork;
    public ushort Port { get; init; } = EgressOverlay.DefaultPort;

    /// <summary>IPv4's, where there is one, as nodes choose it.</summary>
    internal Address Local => Addresses.OrderBy(address => address.Family).First();
}

/// <summary>
/// A gateway pod's own side: what comes out of the overlay leaves with the pod's address, and answers go back into it, to the node that
/// the question has come from (<see cref="ReturnTable"/>). All of it is the kernel's work; it stays when the program ends, and is taken as
/// it is when it begins again.
/// </summary>
public sealed class EgressPodSide(KernelLoop kernel, INftables nftables)
{
    private const string Owner = "egress-pod", BackTable = DataplaneLoop.Table + "-back";
    private const uint Table = 4790;
    private const int Priority = 100, HeadersOfTcp = 20, LeastMtu = 1280;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Nobody has it: all that goes to the overlay goes by one neighbour, whose link-layer address is overwritten.</summary>
    private static readonly Address Back4 = Address.Parse("169.254.64.1"), Back6 = Address.Parse("fe80::1");

    /// <exception cref="IOException">The kernel does not take it; the message says what.</exception>
    public async Task ApplyAsync(EgressPodSettings settings, CancellationToken stop)
    {
        Forward(settings);
        var link = kernel.Current.Links.Values.FirstOrDefault(one => one.Name == settings.Link)
            ?? throw new IOException($"there is no link {settings.Link}");
        var mtu = Math.Max(LeastMtu, link.Mtu - VxlanLink.Overhead(settings.Local.Family));
        var objects = await kernel.ClaimObjectsAsync(Owner, stop).ConfigureAwait(false);
        KernelObject[] wanted =
        [
            new VxlanLink(EgressOverlay.LinkName, settings.Network, settings.Port, settings.Local)
            {
                Mac = EgressOverlay.MacOf(settings.Local),
                Mtu = mtu,
                Learns = true,
            },
            .. settings.Addresses.Select(address => new RoutingRule(address.Family, Priority, Table) { In = settings.Link }),
        ];
        await nftables.ApplyAsync(Rules(settings, mtu), stop).ConfigureAwait(false);
        await objects.WantAsync(wanted, stop).ConfigureAwait(false);
        if (kernel.Status.RefusedObjects is [var refused, ..]) throw new IOException($"{refused.Object}: {refused.Words}");
        var overlay = await OverlayAsync(stop).ConfigureAwait(false);
        if (ReturnTable.Put(BackTable, EgressOverlay.LinkName) is { } words) throw new IOException(words);
        var routes = await kernel.ClaimAsync(Owner, Table, stop).ConfigureAwait(false);
        await routes.WishAsync(settings.Addresses.Select(address => new RouteWish(
            address.IsIPv4 ? Prefix.DefaultIPv4 : Prefix.DefaultIPv6,
            new(RouteType.Unicast, [new(address.IsIPv4 ? Back4 : Back6, overlay, OnLink: true)], 0, Table))).ToArray(), stop)
            .ConfigureAwait(false);
        await routes.SweepAsync(stop).ConfigureAwait(false);
        if (kernel.Status.Refusals is [var route, ..]) throw new IOException($"route {route.Prefix} {route.Target}: {route.Words}");
        if (nftables.Status.Problems is [var problem, ..]) throw new IOException($"{problem}");
    }

    /// <summary>
    /// Takes away what was made, the way in first, so that nothing leaves as it is. What the sysctls were nobody knows any more: they stay.
    /// </summary>
    /// <returns>False: this is no gateway pod.</returns>
    /// <exception cref="IOException">Some of it is still there; the message says what.</exception>
    public async Task<bool> RemoveAsync(CancellationToken stop)
    {
        // A node has a link of that name, and a table, but none of this one.
        if (!ReturnTable.IsThere(BackTable)) return false;
        var objects = await kernel.ClaimObjectsAsync(Owner, stop).ConfigureAwait(false);
        var routes = await kernel.ClaimAsync(Owner, Table, stop).ConfigureAwait(false);
        await objects.WantAsync([], stop).ConfigureAwait(false);
        await routes.FlushAsync(stop).ConfigureAwait(false);
        await routes.SweepAsync(stop).ConfigureAwait(false);
        if (await nftables.FlushAsync(stop).ConfigureAwait(false) is { } problem)
            throw new IOException($"table inet {DataplaneLoop.Table}: {problem}");
        if (ReturnTable.Remove(BackTable) is { } words) throw new IOException(words);
        return true;
    }

    /// <summary>Its number, as soon as the kernel has told of it.</summary>
    private async Task<int> OverlayAsync(CancellationToken stop)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        kernel.Changed += Look;
        try
        {
            Look(kernel.Current);
            await seen.Task.WaitAsync(Patience, stop).ConfigureAwait(false);
            return Find(kernel.Current)!.Index;
        }
        finally
        {
            kernel.Changed -= Look;
        }

        void Look(KernelSnapshot now)
        {
            if (Find(now) != null) seen.TrySetResult();
        }

        static Link? Find(KernelSnapshot now) => now.Links.Values.FirstOrDefault(one => one.Name == EgressOverlay.LinkName && one.IsUp);
    }

    private static void Forward(EgressPodSettings settings)
    {
        foreach (var address in settings.Addresses)
        {
            var path = address.IsIPv4 ? "/proc/sys/net/ipv4/ip_forward" : "/proc/sys/net/ipv6/conf/all/forwarding";
            try
            {
                if (File.ReadAllText(path).Trim() != "1") File.WriteAllText(path, "1");
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                throw new IOException($"{path} cannot be set to 1: {refused.Message} (a privileged init container may do it: --prepare)");
            }
        }
    }

    internal static ImmutableArray<NftChange> Rules(EgressPodSettings settings, int mtu) =>
    [
        new NftChange.PutChain(new NftChain("forward", new("filter", NftHookPoint.Forward, 0),
        [
            new([new MatchInterface(Leaving: false, settings.Link), new MatchDirection(Reply: false), new ActCount(), ActDecide.Drop],
                "nobody outside begins"),
            .. settings.Addresses.Select(address => new NftRule(new MatchFamily(address.Family), new MatchProtocols(IpProtocol.Tcp),
                new ActClampSegments((ushort)(mtu - HeadersOfTcp - (address.IsIPv4 ? 20 : 40))))),
        ]) { Comment = "from clients to outside, and back" }),
        new NftChange.PutChain(new NftChain("postrouting", new("nat", NftHookPoint.Postrouting, 100),
        [
            .. settings.Addresses.Select(address => new NftRule(
                [
                    new MatchInterface(Leaving: true, settings.Link), new MatchFamily(address.Family),
                    new MatchNets(address.Family, NftEnd.Source, [new(address, address.Family.Bits())], Outside: true),
                    new ActSourceNat(address, address),
                ], "clients leave with the pod's address")),
        ]) { Comment = "what clients leave with" }),
    ];
}
