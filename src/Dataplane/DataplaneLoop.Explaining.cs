using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Foreign;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <content>What becomes of packets: the rules in force are walked, and where they lead to a gateway it is asked who that is.</content>
public sealed partial class DataplaneLoop
{
    public async Task<NatExplanation> ExplainAsync(Packet packet, CancellationToken stop = default)
    {
        var now = view;
        if (now is { Enabled: true, Ready: false })
            return new(null, null, ["the resources are not known yet: the rules of an earlier run are in force, if there are any"])
            {
                DependsOn = ["what an earlier run has left"],
            };
        var facts = new HostFacts(kernel.Current);
        packet = packet with { In = packet.In ?? await PodsLinkAsync(packet.Source, facts, stop).ConfigureAwait(false) };
        var sent = await SentPacket.WalkAsync(nftables, facts, packet, stop).ConfigureAwait(false);
        var walked = await LeaveAsync(sent.Packet, sent.Ends, facts, packet.Out, stop).ConfigureAwait(false);
        var told = new NatExplainer(now.Plan, walked.Packet, walked.Ends, sent.Masqueraded(facts), walked.Leaving).Explain();
        return walked.Leaving == null && sent.NoRoute(facts) is { } lost
            ? told with { Steps = [.. told.Steps, $"no route leads to {lost}: it goes no further than here"] } : told;
    }

    /// <summary>Where this node's interfaces are called otherwise than its workloads'.</summary>
    public Task<ImmutableArray<PolicyFinding>> AstrayAsync(CancellationToken stop = default)
    {
        var host = new RunningHost(kernel.Current);
        return AskAsync(known => known.Astray(host), stop);
    }

    public async Task<PolicyExplanation?> ExplainPolicyAsync(PolicyQuestion question, CancellationToken stop = default)
    {
        if (!policy.Enabled) return null;
        var (host, facts) = (new RunningHost(kernel.Current), new HostFacts(kernel.Current));
        var (asked, problem) = await AskAsync(known => (known.Case(question, host, out var wrong), wrong), stop).ConfigureAwait(false);
        if (asked == null) return PolicyExplanation.Refused(problem!);
        asked = asked.With(ForeignTranslations.Find(asked.Packet(host, PacketRedirect.None), host, Table),
            translatesHere: settings.Services is { Enabled: true, Kubernetes: true });
        var walked = new List<WalkedPacket>();
        foreach (var packet in PolicyAnswers.Packets(asked, host))
        {
            var first = await nftables.WalkAsync(packet, host, stop).ConfigureAwait(false);
            foreach (var (sent, to, unasked) in PolicyAnswers.Sent(asked, host, packet, first))
            {
                var again = sent == packet ? first : await nftables.WalkAsync(sent, host, stop).ConfigureAwait(false);
                var ends = PolicyAnswers.SentTo(to, sent, again);
                walked.Add(await LeaveAsync(sent, ends, facts, said: null, stop).ConfigureAwait(false) with { Unasked = unasked });
            }
        }
        var answer = await AskAsync(known => PolicyAnswers.Of(asked, host, walked, known.Explainer), stop).ConfigureAwait(false);
        var endpoint = asked.Interfaces.GetValueOrDefault(asked.Source) ?? "";
        var names = await dns.ExplainAsync(asked.Destination, endpoint, stop).ConfigureAwait(false);
        return answer with { Notes = [.. answer.Notes, .. names] };
    }

    public async Task<TranslationExplanation?> ExplainTranslationAsync(Packet packet, CancellationToken stop = default)
    {
        var (owners, view) = await ServicesAsync(known => (known.Owners, known.View), stop).ConfigureAwait(false);
        if (owners == null) return null;
        var facts = new HostFacts(kernel.Current);
        // Rules of policies ask for it many times, and each time there would be one way more that nobody's packets go.
        var link = packet.In == null && facts.IsLocal(packet.Source) == false
            ? new RunningHost(kernel.Current).LinkTo(packet.Source) : null;
        var told = await new TranslationExplainer(nftables, facts, owners, view)
            .ExplainAsync(packet with { In = packet.In ?? link }, stop).ConfigureAwait(false);
        return told with { TakenIn = link };
    }

    /// <summary>What a pod of this node sends comes in by the pod's interface; null: it is none of theirs.</summary>
    private async Task<string?> PodsLinkAsync(Address source, HostFacts facts, CancellationToken stop)
    {
        if (facts.IsLocal(source) != false) return null;
        var way = new RunningHost(kernel.Current).LinkTo(source);
        return await AskAsync(known => known.InterfaceOf(source, way), stop).ConfigureAwait(false);
    }

    /// <summary>Who is led to a gateway leaves by where that is, and not by where routes lead all others.</summary>
    /// <param name="said">The interface that whoever asks has said it leaves by; null: he has not.</param>
    private async Task<WalkedPacket> LeaveAsync(
        Packet packet, ImmutableArray<PacketEnd> ends, HostFacts facts, string? said, CancellationToken stop)
    {
        if (EgressLeaving.MarkOf(ends) is not { } mark) return new(packet, ends);
        var leaving = await EgressAsync(known => known.Leaving(mark, packet.Source.Family), stop).ConfigureAwait(false);
        if (leaving == null) return new(packet, ends);
        if (said == null && leaving.Interface is { } index && facts.NameOf(index) is { } link && link != packet.Out)
        {
            packet = packet with { Out = link };
            ends = await nftables.WalkAsync(packet, facts, stop).ConfigureAwait(false);
        }
        return new(packet, leaving.Ends(ends), leaving);
    }
}
