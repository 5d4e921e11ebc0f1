using System.Net;

namespace Calico.Bgp.Conformance.Policy;

public enum Program { UntrackedIn, PreDnat, ForwardIn, PodEgress, PodIngress, ForwardOut, NormalIn, NormalOut, UntrackedOut, ToHost }

/// <summary>One program that a packet met: what it said and why. Null: it had nothing to say.</summary>
internal sealed record Word(Program Program, string Endpoint, bool? Allows, string Why);

internal sealed record Verdict(bool Passes, IReadOnlyList<Word> Words)
{
    public override string ToString() =>
        (Passes ? "passes: " : "drops: ") + string.Join("; ", Words.Select(word => $"{word.Program} of {word.Endpoint}: {word.Why}"));
}

/// <summary>
/// What becomes of a connection's first packet on one node, by C.3's row and 2.3 to 2.5. It knows objects and addresses alone: no
/// chains, no sets, nothing of the daemon's.
/// </summary>
/// <param name="world"></param>
/// <param name="node">Its name.</param>
/// <param name="links">Its interfaces that are no pods', with their addresses.</param>
internal sealed class Judge(World world, string node, IReadOnlyDictionary<string, string[]> links)
{
    private const int Vxlan = 4789;

    private static readonly (int Protocol, int Port)[] SafeIn =
    [
        (6, 22), (17, 68), (6, 179), (6, 2379), (6, 2380), (6, 5473), (6, 6443), (6, 6666), (6, 6667),
    ];
    private static readonly (int Protocol, int Port)[] SafeOut =
    [
        (17, 53), (17, 67), (6, 179), (6, 2379), (6, 2380), (6, 5473), (6, 6443), (6, 6666), (6, 6667),
    ];

    public Verdict Ask(Packet packet)
    {
        var words = new List<Word>();
        // An early yes answers for the programs of host endpoints that would be asked later, never for a pod's.
        var early = false;
        foreach (var program in Programs(packet))
        {
            if (early && program is (Program.PreDnat or Program.ForwardIn or Program.NormalIn or Program.NormalOut)) continue;
            if (Word(program, packet) is not { } word) continue;
            words.Add(word);
            if (word.Allows == false) return new(false, words);
            early |= word.Allows == true && word.Why != Safe
                && program is (Program.UntrackedIn or Program.PreDnat or Program.UntrackedOut);
        }
        return new(true, words);
    }

    /// <summary>C.3's columns, for the row that this packet is in.</summary>
    public static IEnumerable<Program> Programs(Packet packet)
    {
        var (fromPod, toPod) = (IsPods(packet.From), IsPods(packet.To));
        if (packet.From != null)
        {
            if (!fromPod) yield return Program.UntrackedIn;
            yield return Program.PreDnat;
            if (fromPod) yield return Program.PodEgress;
            if (packet.To == null) yield return fromPod ? Program.ToHost : Program.NormalIn;
            else
            {
                if (!fromPod) yield return Program.ForwardIn;
                yield return toPod ? Program.PodIngress : Program.ForwardOut;
            }
        }
        else if (packet.To != null && !toPod)
        {
            yield return Program.UntrackedOut;
            yield return Program.NormalOut;
        }
    }

    private static bool IsPods(string? link) => link?.StartsWith("cali", StringComparison.Ordinal) == true;

    private const string Safe = "failsafe port";

    private Word? Word(Program program, Packet packet)
    {
        if (program == Program.ToHost)
        {
            var action = world.Felix["defaultEndpointToHostAction"].Text ?? "Drop";
            return new(program, packet.From!, action == "Drop" ? false : null, action);
        }
        if (program is Program.PodEgress or Program.PodIngress) return OfPod(program, packet);
        var isIn = program is Program.UntrackedIn or Program.PreDnat or Program.ForwardIn or Program.NormalIn;
        var endpoint = HostEndpoint((isIn ? packet.From : packet.To)!, program is not (Program.UntrackedIn or Program.UntrackedOut));
        if (endpoint == null) return null;
        var (seen, hook) = program switch
        {
            Program.UntrackedIn or Program.UntrackedOut => (packet.AsCalled, Hook.Untracked),
            Program.PreDnat => (packet.AsCalled, Hook.PreDnat),
            _ => (packet, Hook.Normal),
        };
        var isForward = program is Program.ForwardIn or Program.ForwardOut;
        if (!isForward && (IsSafe(isIn ? "Inbound" : "Outbound", isIn ? SafeIn : SafeOut, seen.Protocol, seen.DestinationPort,
                isIn ? seen.Source : seen.Destination)
            || (hook == Hook.Untracked && IsSafe(isIn ? "Outbound" : "Inbound", isIn ? SafeOut : SafeIn, seen.Protocol, seen.SourcePort,
                isIn ? seen.Source : seen.Destination))))
            return new(program, endpoint.Name, true, Safe);
        var (allows, why) = Tiers(endpoint, isIn, seen, policy => policy.Hook == hook && (!isForward || policy.OnForward),
            hook == Hook.Normal);
        if (allows == null && hook == Hook.Normal && !isForward) (allows, why) = Profiles(endpoint, isIn, seen);
        return new(program, endpoint.Name, allows, why);
    }

    private Word OfPod(Program program, Packet packet)
    {
        var isIn = program == Program.PodIngress;
        var link = isIn ? packet.To : packet.From;
        var pod = world.Items.Where(item => item.Kind == ItemKind.Workload && item.Node == node && item.Interface == link)
            .MinBy(item => item.Name, StringComparer.Ordinal);
        if (pod == null) return new(program, link!, false, "nobody is known to be there");
        if (!isIn && (packet is { Protocol: Protocols.IpInIp } or { Protocol: Protocols.Udp, DestinationPort: Vxlan }))
            return new(program, pod.Name, false, "an overlay of the pod's own");
        var (allows, why) = Tiers(pod, isIn, packet, policy => policy.Hook == Hook.Normal, true);
        if (allows == null) (allows, why) = Profiles(pod, isIn, packet);
        return new(program, pod.Name, allows, why);
    }

    /// <summary>By name or by an address on it, the first name of several; else the first of those that are for all.</summary>
    private Item? HostEndpoint(string link, bool withAll)
    {
        var here = world.Items.Where(item => item.Kind == ItemKind.Host && item.Node == node)
            .OrderBy(item => item.Name, StringComparer.Ordinal).ToArray();
        var named = here.FirstOrDefault(item => item.Interface == link
            || (item.Interface == "" && item.Nets.Any(net => links.TryGetValue(link, out var addresses) && addresses.Contains(net))));
        return named ?? (withAll ? here.FirstOrDefault(item => item.Interface == "*") : null);
    }

    private bool IsSafe(string direction, (int Protocol, int Port)[] usual, int protocol, int port, IPAddress other)
    {
        var said = world.Felix[$"failsafe{direction}HostPorts"];
        return said.IsThere
            ? said.Items.Any(one => Protocols.Number(one["protocol"].Text ?? "TCP") == protocol && one["port"].Number == port
                && (one["net"].Text is not { } net || Prefixes.Contains(net, other)))
            : usual.Contains((protocol, port));
    }

    /// <summary>Null: nobody decided, or all passed it on.</summary>
    private (bool? Allows, string Why) Tiers(Item endpoint, bool isIn, Packet packet, Func<Policy, bool> which, bool endsInDeny)
    {
        foreach (var tier in world.Tiers)
        {
            var policies = world.In(tier).Where(policy => which(policy) && policy.AppliesTo(endpoint)
                && (isIn ? policy.Ingress : policy.Egress) != null).ToArray();
            if (policies.Length == 0) continue;
            var (act, by) = First(policies, isIn, packet);
            if (act is Act.Allow or Act.Deny) return (act == Act.Allow, $"{act} by {by}");
            if (act == null && tier.Denies && endsInDeny) return (false, $"end of tier {tier.Name}");
        }
        return (null, "nothing said");
    }

    private static (Act? Act, string? By) First(Policy[] policies, bool isIn, Packet packet) =>
        policies.SelectMany(policy => (isIn ? policy.Ingress : policy.Egress)!.Select((rule, number) => (policy, rule, number)))
            .Where(one => one.rule.Act != Act.Log && one.rule.Matches(packet))
            .Select(one => ((Act?)one.rule.Act, (string?)$"{one.policy} rule {one.number}")).FirstOrDefault();

    private (bool? Allows, string Why) Profiles(Item endpoint, bool isIn, Packet packet)
    {
        foreach (var name in endpoint.Profiles)
        {
            if (world.Profile(name) is not { } profile) return (false, $"there is no profile {name}");
            if ((isIn ? profile.Ingress : profile.Egress).FirstOrDefault(rule => rule.Act is Act.Allow or Act.Deny && rule.Matches(packet))
                is { } rule)
                return (rule.Act == Act.Allow, $"{rule.Act} by profile {name}");
        }
        return (false, "no profile allows it");
    }
}
