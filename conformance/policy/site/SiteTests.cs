namespace Calico.Bgp.Conformance.Policy;

/// <summary>The site itself: without policy everybody reaches everybody, over every protocol and in both families, and what a rule of
/// another's making drops or rejects is seen to be.</summary>
public sealed class SiteTests
{
    private static async Task<PolicySite> MakeAsync() => await PolicySite.MakeAsync(HostMatrix.Pods);

    private static int[] ProtocolsOf(bool isIPv6) =>
        [Protocols.Tcp, Protocols.Udp, isIPv6 ? Protocols.IcmpV6 : Protocols.Icmp, Protocols.Sctp, Protocols.UdpLite];

    private static IEnumerable<Probe> Probes(Town town) =>
        from @from in town.Places
        from to in town.Places
        where @from != to
        from isIPv6 in (bool[])[false, true]
        from protocol in ProtocolsOf(isIPv6)
        select new Probe(@from, @from.Address(isIPv6), to.Address(isIPv6), protocol) { Port = 80 };

    [NeedsFact(Needs.Namespaces, "nft")]
    public async Task Without_policy_everything_arrives_and_who_can_answer_does()
    {
        await using var site = await MakeAsync();
        var probes = Probes(site.Town).ToArray();
        var outcomes = await site.Prober.RunAsync(probes, TimeSpan.FromSeconds(20));
        Wrong.None(probes.Zip(outcomes).Where(one => one.Second.Arrival?.Seen.Address.Equals(one.First.Source) != true
            || one.Second.IsAnswered != one.First.IsAnswered).Select(one => $"{one.First}: {one.Second}"));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public async Task What_another_table_drops_or_rejects_is_told_from_what_arrives()
    {
        await using var site = await MakeAsync();
        site.Node.Tell("""
            table inet other {
              chain forward {
                type filter hook forward priority 0
                meta l4proto { tcp, sctp } th dport 80 drop
                meta l4proto udp th dport 80 reject
              }
            }

            """, "nft", "-f", "-");
        var probes = Probes(site.Town).Where(probe => site.Town.PacketOf(probe) is { From: not null, To: not null }).ToArray();
        Assert.NotEmpty(probes);
        var differ = await DifferAsync(site, probes, Prober.Moment);
        // On a busy machine what comes may come late; what does not come may not even then.
        Wrong.None((await DifferAsync(site, [.. differ.Select(one => one.Probe)], 10 * Prober.Moment))
            .Select(one => $"{one.Probe}: {one.Outcome}"));
    }

    private static async Task<(Probe Probe, Outcome Outcome)[]> DifferAsync(PolicySite site, Probe[] probes, TimeSpan patience) =>
        [.. probes.Zip(await site.Prober.RunAsync(probes, patience)).Where(one => one.First.Protocol switch
        {
            Protocols.Tcp or Protocols.Sctp => one.Second is not { Arrival: null, IsRefused: false },
            Protocols.Udp => one.Second is not { Arrival: null, IsRefused: true },
            _ => one.Second.Arrival == null,
        })];

    [NeedsFact(Needs.Namespaces, "nft")]
    public async Task Services_lead_to_who_is_behind_them_and_show_the_node_or_the_client()
    {
        await using var site = await MakeAsync();
        HostMatrix.AddServices(site.Town);
        site.Town.Services.Add(new("local", "10.96.0.20", "fd96::20", 80, site.Town["red/a"], 8080) { IsLocal = true });
        site.WriteServices();
        foreach (var service in site.Town.Services)
            foreach (var isIPv6 in (bool[])[false, true])
                foreach (var protocol in (int[])[Protocols.Tcp, Protocols.Udp])
                {
                    var client = site.Town["customer"];
                    var outcome = (await site.Prober.RunAsync(
                        [new(client, client.Address(isIPv6), service.Address(isIPv6), protocol) { Port = service.Port }],
                        TimeSpan.FromSeconds(20)))[0];
                    Assert.True(outcome.IsAnswered, outcome.ToString());
                    // What stays on the node leaves by no interface, where it would be masqueraded.
                    Assert.Equal((service.Behind.Address(isIPv6).ToString(), !service.IsLocal && service.Behind != Place.Node1),
                        (outcome.Arrival!.At, !outcome.Arrival.Seen.Address.Equals(client.Address(isIPv6))));
                }
    }
}
