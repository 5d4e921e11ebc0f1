using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>What is asked of packets of one endpoint at one place of their way; a dispatch map each.</summary>
internal enum ProgramKind : byte
{
    /// <summary>What a workload sends.</summary>
    WorkloadOut,
    /// <summary>What a workload is sent.</summary>
    WorkloadIn,
    /// <summary>To this host itself.</summary>
    HostIn,
    /// <summary>From this host itself.</summary>
    HostOut,
    /// <summary>The same where the destination was translated: the way out is known behind the translation alone.</summary>
    HostOutTranslated,
    /// <summary>What is routed through this host, where it comes in.</summary>
    ForwardIn,
    ForwardOut,
    PreDnat,
    UntrackedIn,
    UntrackedOut,
}

/// <param name="Passes">A rule of it may leave the packet to the next tier.</param>
internal readonly record struct ProgramPolicy(ResourceId Id, bool Passes);

internal sealed record ProgramTier(string Name, TierDefault Default, ListOf<ProgramPolicy> Policies);

/// <summary>A program by what is in it: endpoints that are asked the same share it.</summary>
internal sealed record ProgramKey(ProgramKind Kind, ListOf<ProgramTier> Tiers, ListOf<string> Profiles)
{
    public PolicyTypes Direction => Kind is ProgramKind.WorkloadOut or ProgramKind.HostOut or ProgramKind.HostOutTranslated
        or ProgramKind.ForwardOut or ProgramKind.UntrackedOut ? PolicyTypes.Egress : PolicyTypes.Ingress;

    /// <summary>Where no policy has decided, profiles do, and what they leave is dropped; else the packet goes on.</summary>
    public bool HasProfiles => Kind is ProgramKind.WorkloadIn or ProgramKind.WorkloadOut or ProgramKind.HostIn or ProgramKind.HostOut
        or ProgramKind.HostOutTranslated;

    /// <summary>A tier that has policies and decides nothing denies.</summary>
    public bool TiersDeny => HasProfiles || Kind is ProgramKind.ForwardIn or ProgramKind.ForwardOut;

    /// <summary>The kernel takes no reject where it is reached from.</summary>
    public bool DropsOnly => Kind is ProgramKind.HostOutTranslated or ProgramKind.PreDnat or ProgramKind.UntrackedIn
        or ProgramKind.UntrackedOut;

    /// <summary>A tier that denies what it does not decide, and of which no rule passes: no packet gets behind it.</summary>
    private bool IsLast(ProgramTier tier) => TiersDeny && tier.Default == TierDefault.Deny && !tier.Policies.Any(policy => policy.Passes);

    /// <summary>Those that some packet may get to.</summary>
    public IEnumerable<ProgramTier> TiersReached => Tiers.Take(Tiers.TakeWhile(tier => !IsLast(tier)).Count() + 1);

    public bool ReachesProfiles => HasProfiles && !Tiers.Any(IsLast);

    /// <summary>Those that some packet may get to.</summary>
    public IEnumerable<ChainKey> Chains =>
    [
        .. TiersReached.SelectMany(tier => tier.Policies).Select(policy => new ChainKey(policy.Id, Direction, DropsOnly)),
        .. ReachesProfiles ? Profiles.Select(profile => new ChainKey(new(Kinds.Profile, new("", profile)), Direction, DropsOnly)) : [],
    ];
}

/// <summary>
/// The programs in use: a chain each, named by its content. Tiers are asked in their order; in each the policies, until one decides or
/// passes; what no policy of the tier decides ends there or goes on, as the tier says.
/// </summary>
/// <remarks>
/// A chain that comes has the kernel look at all chains again. So of programs whose last endpoint has gone a few stay for a while: the next
/// pod of a Job is asked as the one before it was. A program that is left because policies are others now does not stay.
/// </remarks>
/// <param name="chains"></param>
/// <param name="clock">Null: none stays.</param>
internal sealed class Programs(PolicyChains chains, TimeProvider? clock = null)
{
    /// <summary>So many stay at most, the newest ones.</summary>
    public const int MostKept = 64;

    public static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(5);

    /// <summary>Conntrack checks what comes with UDP's pseudo header (nf_conntrack_checksum), and so calls all of it invalid: Linux 6.18.
    /// Whether it is allowed the policies decide.</summary>
    private const byte UdpLite = 136;

    private sealed record Part(string Name)
    {
        public int Uses { get; set; }
    }

    private readonly Dictionary<ProgramKey, Part> used = [];
    private readonly HashSet<ProgramKey> dirty = [];

    /// <summary>That nobody uses, and since when; null: it does not stay.</summary>
    private readonly Dictionary<ProgramKey, long?> idle = [];
    private readonly HashSet<string> unused = [];

    public int Count => used.Count - idle.Count;

    /// <summary>Some are there that nobody uses.</summary>
    public bool AnyIdle => idle.Count > 0;

    /// <summary>Some of these do not stay: what is written next is without them.</summary>
    public bool AnyDue => idle.Count > MostKept || idle.Values.Any(since => Left(since) == TimeSpan.Zero);

    /// <summary>Until some do not; null: none stays.</summary>
    public TimeSpan? Due => idle.Count == 0 ? null : idle.Values.Min(Left);

    private TimeSpan Left(long? since) => since is { } then && clock is { } now && KeptFor - now.GetElapsedTime(then) is { Ticks: > 0 } left
        ? left : TimeSpan.Zero;

    /// <summary>Counted.</summary>
    public string Use(ProgramKey key)
    {
        if (!used.TryGetValue(key, out var part))
        {
            used[key] = part = new($"{Enforcement.Prefix}{Word(key.Kind)}-{ContentHash.Of(key.ToString())}");
            foreach (var chain in key.Chains) chains.Use(chain);
            dirty.Add(key);
            unused.Remove(part.Name);
        }
        if (part.Uses++ == 0) idle.Remove(key);
        return part.Name;
    }

    /// <summary>Of one that is used.</summary>
    public string NameOf(ProgramKey key) => used[key].Name;

    /// <summary>It is there until <see cref="Sweep"/> at least: packets may still be on their way there.</summary>
    /// <param name="key"></param>
    /// <param name="stays">Whoever comes next may well be asked the same.</param>
    public void Release(ProgramKey key, bool stays)
    {
        if (--used[key].Uses == 0) idle[key] = stays ? clock?.GetTimestamp() : null;
    }

    /// <summary>A policy or a profile is another one: nobody comes any more who is asked as before.</summary>
    public void Outdate(ResourceId of)
    {
        foreach (var key in idle.Keys.Where(key => key.Chains.Any(chain => chain.Of == of)).ToArray()) idle[key] = null;
    }

    public void Sweep(bool everything)
    {
        var tooMany = idle.Count - MostKept;
        foreach (var (key, _) in idle.OrderBy(one => one.Value ?? long.MinValue)
            .Where((one, index) => everything || index < tooMany || Left(one.Value) == TimeSpan.Zero).ToArray())
        {
            idle.Remove(key);
            used.Remove(key, out var part);
            dirty.Remove(key);
            unused.Add(part!.Name);
            foreach (var chain in key.Chains) chains.Release(chain);
        }
    }

    /// <summary>By its chain's name: nobody uses it, and it stays.</summary>
    public bool IsKept(string name) => idle.Keys.Any(key => used[key].Name == name);

    public static string Word(ProgramKind kind) => kind switch
    {
        ProgramKind.WorkloadOut => "from",
        ProgramKind.WorkloadIn => "to",
        ProgramKind.HostIn => "host-in",
        ProgramKind.HostOut => "host-out",
        ProgramKind.HostOutTranslated => "host-out-nat",
        ProgramKind.ForwardIn => "fwd-in",
        ProgramKind.ForwardOut => "fwd-out",
        ProgramKind.PreDnat => "pre-dnat",
        ProgramKind.UntrackedIn => "raw-in",
        _ => "raw-out",
    };

    /// <summary>What they do besides asking policies has changed.</summary>
    public void Renew() => dirty.UnionWith(used.Keys);

    public void Write(PartsWriter into, PolicyFacts facts)
    {
        if (into.IsFresh) Renew();
        foreach (var key in dirty)
            into.Put(new NftChain(used[key].Name, null, [.. Rules(key, facts)])
            {
                // Without one of its rules it may be content with what it should not.
                Instead = [.. Gentler(key, facts),
                    [.. Before(key, facts), new([new ActCount(), ActDecide.Drop], PolicyComment.Refused)]],
            });
        if (!into.IsFresh)
            foreach (var name in unused) into.RemoveChain(name);
        unused.Clear();
        dirty.Clear();
    }

    private static IEnumerable<ImmutableArray<NftRule>> Gentler(ProgramKey key, PolicyFacts facts) =>
        facts.Gentler(facts.LogsDenied, key.DropsOnly).Select(less => Rules(key, less).ToImmutableArray());

    private static IEnumerable<NftRule> Rules(ProgramKey key, PolicyFacts facts)
    {
        foreach (var rule in Before(key, facts)) yield return rule;
        foreach (var tier in key.TiersReached)
            foreach (var rule in Rules(key, tier, facts)) yield return rule;
        if (!key.ReachesProfiles) yield break;
        foreach (var profile in key.Profiles)
            yield return new(ActDecide.Jump(PolicyChains.Name(new(new(Kinds.Profile, new("", profile)), key.Direction, key.DropsOnly))));
        var none = key.Direction == PolicyTypes.Ingress ? Denial.ProfilesIn : Denial.ProfilesOut;
        foreach (var rule in facts.Denied(none, PolicyComment.NoProfile, key.Kind, key.DropsOnly)) yield return rule;
    }

    private static IEnumerable<NftRule> Before(ProgramKey key, PolicyFacts facts)
    {
        if (key.TiersDeny)
        {
            yield return new(new MatchState(ConnectionStates.Established | ConnectionStates.Related), ActDecide.Accept);
            if (!facts.AllowsInvalid)
                yield return new(new MatchState(ConnectionStates.Invalid), new MatchProtocols([UdpLite], Outside: true), ActDecide.Drop);
        }
        if (key.Kind == ProgramKind.WorkloadOut)
            foreach (var rule in facts.EncapsulationDrops) yield return rule;
        if (Failsafes.ChainOf(key.Kind) is { } failsafes) yield return new(ActDecide.Jump(failsafes));
    }

    private static IEnumerable<NftRule> Rules(ProgramKey key, ProgramTier tier, PolicyFacts facts)
    {
        var mayHavePassed = false;
        foreach (var policy in tier.Policies)
        {
            var jump = ActDecide.Jump(PolicyChains.Name(new(policy.Id, key.Direction, key.DropsOnly)));
            yield return mayHavePassed ? new(facts.Marks.HasNotPassed, jump) : new(jump);
            mayHavePassed |= policy.Passes;
        }
        if (key.TiersDeny && tier.Default == TierDefault.Deny)
        {
            var end = key.Direction == PolicyTypes.Ingress ? Denial.TiersIn : Denial.TiersOut;
            NftStatement[] matches = mayHavePassed ? [facts.Marks.HasNotPassed] : [];
            foreach (var rule in facts.Denied(end, new PolicyComment(tier.Name), key.Kind, key.DropsOnly, matches)) yield return rule;
        }
        if (mayHavePassed) yield return new(facts.Marks.ClearPass);
    }
}
