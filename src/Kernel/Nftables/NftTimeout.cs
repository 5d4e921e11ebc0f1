using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// ct timeout NAME { protocol P; policy = { … } }: how long connections live that say nothing; what is not said is as the kernel has it.
/// One of a name is the same as any other of it. Of other protocols than TCP and UDP nft 1.0.6 could not list them.
/// </summary>
/// <param name="Times">By the kernel's states (nfnetlink_cttimeout.h).</param>
public sealed record NftTimeout(string Name, IpProtocol Protocol, ListOf<(ushort State, uint Seconds)> Times)
{
    private const ushort SynSent = 1, SynReceived = 2, Established = 3, Unreplied = 1, Replied = 2;

    /// <summary>Null: as the kernel has it.</summary>
    public static NftTimeout OfTcp(string prefix, TimeSpan? begun, TimeSpan? established) => new(
        $"{prefix}tcp-{Word(begun)}-{Word(established)}", IpProtocol.Tcp,
        [.. Of(begun, SynSent, SynReceived), .. Of(established, Established)]);

    public static NftTimeout OfUdp(string prefix, TimeSpan time) =>
        new($"{prefix}udp-{Word(time)}", IpProtocol.Udp, [.. Of(time, Unreplied, Replied)]);

    private static string Word(TimeSpan? time) => time is { } some ? Seconds(some).ToString(CultureInfo.InvariantCulture) : "x";

    private static uint Seconds(TimeSpan time) => (uint)time.TotalSeconds;

    private static IEnumerable<(ushort, uint)> Of(TimeSpan? time, params ushort[] states) =>
        time is { } some ? states.Select(state => (state, Seconds(some))) : [];
}
