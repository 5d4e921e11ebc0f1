namespace Calico.Bgp.Conformance.Policy;

/// <summary>Every cell of C.3 with packets: who meets a program is stopped by its deny, and nobody else is.</summary>
public sealed class HostMatrixTests
{
    private static int[] ProtocolsFor(Program program, bool isIPv6) => program is Program.UntrackedIn or Program.UntrackedOut
        // What of a TCP connection is not tracked is judged packet by packet: who opens it is seen by what has no answers.
        ? [Protocols.Udp, Protocols.Sctp, isIPv6 ? Protocols.IcmpV6 : Protocols.Icmp]
        : [Protocols.Tcp, Protocols.Udp, isIPv6 ? Protocols.IcmpV6 : Protocols.Icmp];

    [NeedsTheory(Needs.Daemon, "nft")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deny_in_a_program_stops_the_flows_that_meet_it(bool isNamed)
    {
        await using var site = await PolicySite.MakeAsync(HostMatrix.Pods);
        HostMatrix.AddServices(site.Town);
        site.WriteServices();
        var endpoints = site.Town.Objects() + HostMatrix.HostEndpoints(isNamed);
        site.Write(endpoints);
        await site.StartAsync();
        await site.InForceAsync();
        var wrong = new List<string>();
        foreach (var program in (Program?[])[null, .. HostMatrix.Columns])
        {
            await site.PutAsync(endpoints + (program == null ? "" : HostMatrix.Deny(program.Value)));
            wrong.AddRange(await WrongAsync(site, program, isNamed));
        }
        Wrong.None(wrong);
    }

    private static async Task<IEnumerable<string>> WrongAsync(PolicySite site, Program? program, bool isNamed)
    {
        var rows = new[] { false, true }.SelectMany(isIPv6 => ProtocolsFor(program ?? Program.NormalIn, isIPv6)
            // A service has TCP and UDP.
            .SelectMany(protocol => HostMatrix.Flows(site.Town, protocol, isIPv6)
                .Where(flow => protocol is Protocols.Tcp or Protocols.Udp || !site.Town.IsService(flow.Probe.To))))
            .Select(flow => (flow.Flow, flow.Probe, Passes: program == null || !flow.Meets(program.Value, isNamed))).ToArray();
        Assert.Equal(program != null && (isNamed || program is not (Program.UntrackedIn or Program.UntrackedOut)),
            rows.Any(row => !row.Passes));
        var outcomes = await site.Prober.RunAsync([.. rows.Select(row => row.Probe)], Prober.Moment);
        var differ = rows.Zip(outcomes).Where(one => (one.Second.Arrival != null) != one.First.Passes).ToArray();
        var again = await site.Prober.RunAsync([.. differ.Select(one => one.First.Probe)], 5 * Prober.Moment);
        return differ.Zip(again).Where(one => one.First.First.Passes != (one.Second.Arrival != null) || !one.First.First.Passes)
            .Select(one => $"deny in {program}, {(isNamed ? "named" : "all interfaces")}: {one.First.First.Flow}, {one.First.First.Probe}: "
                + $"{one.Second}, expected {(one.First.First.Passes ? "to arrive" : "nothing")}");
    }
}
