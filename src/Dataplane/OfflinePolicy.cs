using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane;

/// <summary>What the dataplane would write from these objects, without a kernel: packets are walked through it.</summary>
public sealed class OfflinePolicy
{
    private static readonly Dictionary<string, UpstreamOffer> NoOffers = [];
    private static readonly Dictionary<string, AddressRanges> NothingHeld = [];

    private readonly Enforcement enforcement = new();
    private readonly PacketTable table;
    private readonly Node? node;

    /// <summary>Translations that a kernel would have to be asked about.</summary>
    private readonly ImmutableArray<string> untold = [];

    /// <param name="resources">All that there are, the built-in ones among them.</param>
    public OfflinePolicy(DataplaneSettings settings, IEnumerable<ResourceChange> resources)
    {
        var nat = new NatObjects();
        Tell(enforcement, new DataplaneChange.Configured(settings));
        foreach (var change in resources)
        {
            if (change.After is Node one && one.Name == settings.Node) node = one;
            Tell(enforcement, new DataplaneChange.Object(change));
            nat.Apply(change);
        }
        var writer = new TableWriter();
        enforcement.Write(writer.For(enforcement));
        var rules = settings.Nat is { Enabled: true } pools
            ? Masquerade.Render(new NatPlanner(settings.Node, nat, pools, false, NoOffers, NothingHeld).Plan()) : NatRules.None;
        writer.Put(Frame.Postrouting, Nat.FeatureName, rules.Postrouting);
        if (settings.Services is { Enabled: true } said) untold = Translate(settings, said, writer);
        table = Made(writer.Take(), rules);
    }

    /// <summary>Nothing offline is for a time.</summary>
    private sealed class Standing : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }

    /// <summary>Translations of the file; where Kubernetes' services lead, the objects say.</summary>
    /// <returns>What is not known of them.</returns>
    private static ImmutableArray<string> Translate(DataplaneSettings settings, ServiceSettings said, TableWriter writer)
    {
        var services = new ServiceNat(null, new Standing(), NullLogger.Instance);
        services.Apply(new DataplaneChange.Configured(settings with { Services = said with { Kubernetes = false } }));
        services.Look();
        services.Write(writer.For(services));
        return [.. services.View.Translations.Where(row => row.Problem != null).Select(row =>
            $"the translation of {row.Translation.Key} is not known without the daemon: {row.Problem}")];
    }

    private static void Tell(Enforcement feature, DataplaneChange change)
    {
        if (feature.Concerns(change)) feature.Apply(change);
    }

    private static PacketTable Made(ImmutableArray<NftChange> changes, NatRules nat)
    {
        // Later ones count; a base chain stands where it was made first.
        var (sets, chains) = (new OrderedDictionary<string, NftSet>(), new OrderedDictionary<string, NftChain>());
        foreach (var change in changes)
            switch (change)
            {
                case NftChange.PutSet(var set): sets[set.Name] = set; break;
                case NftChange.PutElements(var name, var elements):
                    sets[name] = sets[name] with { Elements = [.. sets[name].Elements, .. elements] }; break;
                case NftChange.PutChain(var chain): chains[chain.Name] = chain; break;
                case NftChange.RemoveSet(var name): sets.Remove(name); break;
                case NftChange.RemoveChain(var name): chains.Remove(name); break;
            }
        return new([.. sets.Values, .. nat.Sets], [.. chains.Values, .. nat.Chains]);
    }

    /// <summary>Where the node has the server's address: elsewhere nobody knows how the connection goes.</summary>
    public bool Knows(SshConnection ssh) => Host.IsLocal(ssh.Server) == true;

    private SaidHost Host => new(node, enforcement.WorkloadInterfaces, enforcement.HostInterfaces);

    public PolicyExplanation Explain(PolicyQuestion question) => Explain(question, Host);

    /// <param name="host">Of whose links and routes more is known than objects say.</param>
    internal PolicyExplanation Explain(PolicyQuestion question, IPolicyHost host)
    {
        if (enforcement.Case(question, host, out var problem) is not { } asked) return PolicyExplanation.Refused(problem!);
        var ends = new List<WalkedPacket>();
        foreach (var packet in PolicyAnswers.Packets(asked, host))
            foreach (var (sent, to, unasked) in PolicyAnswers.Sent(asked, host, packet, PacketWalk.Ends(table, host, packet)))
                ends.Add(new(sent, PolicyAnswers.SentTo(to, sent, PacketWalk.Ends(table, host, sent))) { Unasked = unasked });
        var answer = PolicyAnswers.Of(asked, host, ends, enforcement.Explainer);
        return answer with { Notes = [.. answer.Notes, .. untold] };
    }
}
