using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Packets;

/// <summary>
/// Walks a packet through rendered parts as the kernel does: hook by hook, base chains by their priority, rules from left to right, with
/// jumps, gotos and verdict maps. Where a rule depends on a fact that nobody has said, the walk takes it to be so, and is walked again with
/// the contrary: each end says what it depends on.
/// <para>
/// The kernel's own rules: a rule does what it does where all that stands before holds; accept ends a base chain and not the hook, drop
/// ends all (nf_tables_core.c). Chains of type nat see the first packet of a tracked connection alone; whatever their priorities, they
/// stand at NAT's own in their hook, in their order, and the first that translates is the last (nf_nat_core.c, nf_nat_inet_fn).
/// </para>
/// </summary>
public sealed class PacketWalk
{
    /// <summary>What depends on more than a few facts is not told apart any further.</summary>
    private const int MostEnds = 64;

    /// <summary>NFT_JUMP_STACK_SIZE: the kernel refuses rules that lead deeper.</summary>
    private const int MostJumps = 16;

    private readonly IPacketTable table;
    private readonly bool telling;
    private readonly bool[] script;
    private readonly List<bool> answers = [];
    private readonly Packet asked;
    private readonly PassingPacket packet;
    private readonly Dictionary<string, bool> assumed = [];
    private readonly ImmutableArray<PacketCondition>.Builder conditions = ImmutableArray.CreateBuilder<PacketCondition>();
    private readonly ImmutableArray<NftHookPoint>.Builder places = ImmutableArray.CreateBuilder<NftHookPoint>();
    private readonly ImmutableArray<PacketStep>.Builder trail = ImmutableArray.CreateBuilder<PacketStep>();
    private readonly List<NftStatement> open = [];
    private PacketTranslation? source, destination;
    private PacketStep? decided;
    private ImmutableArray<(uint Side, Address To)> sides = [];

    /// <summary>Which ends of the connection the kernel has settled: once for all.</summary>
    private bool sourceSettled, destinationSettled;

    private PacketWalk(IPacketTable table, IHostFacts facts, Packet packet, bool[] script, bool telling)
    {
        (this.table, this.script, this.telling, asked) = (table, script, telling, packet);
        this.packet = new(packet, table, facts);
    }

    /// <summary>All that may become of the packet: one end where everything that was asked is known.</summary>
    /// <param name="telling">With the trail.</param>
    public static ImmutableArray<PacketEnd> Ends(IPacketTable table, IHostFacts facts, Packet packet, bool telling = true)
    {
        var ends = ImmutableArray.CreateBuilder<PacketEnd>();
        var scripts = new Stack<bool[]>([[]]);
        while (scripts.TryPop(out var script))
        {
            var walk = new PacketWalk(table, facts, packet, script, telling);
            if (ends.Count == MostEnds)
            {
                ends.Add(walk.End(PacketVerdict.Open) with { DependsOn = [new("more facts than can be told apart", null, true)] });
                break;
            }
            ends.Add(walk.End(walk.Pass()));
            for (var i = script.Length; i < walk.answers.Count; i++) scripts.Push([.. walk.answers[..i], !walk.answers[i]]);
        }
        return ends.DrainToImmutable();
    }

    private PacketEnd End(PacketVerdict verdict)
    {
        var end = new PacketEnd(verdict, conditions.DrainToImmutable(), places.DrainToImmutable(), trail.DrainToImmutable());
        return end with { Source = source, Destination = destination, Decided = decided, Sides = sides };
    }

    /// <summary>
    /// A packet of this host's own goes out; what comes in goes on to where its destination is, as that stands after prerouting. What this
    /// host sends to itself comes in again at the loopback, and its connection with it.
    /// </summary>
    private PacketVerdict Pass()
    {
        packet.IsOwn = packet.In!.Known == null && IsLocal(packet.Source!.Value);
        NftHookPoint[] begun = packet.IsOwn ? [NftHookPoint.Output] : [NftHookPoint.Prerouting];
        foreach (var place in begun)
            if (Pass(place) is var verdict and not PacketVerdict.Accept) return verdict;
        var isHere = IsLocal(packet.Destination);
        if (packet.IsOwn && isHere) packet.LoopBack();
        IEnumerable<NftHookPoint> rest = (packet.IsOwn, isHere) switch
        {
            (true, true) => (NftHookPoint[])[NftHookPoint.Postrouting, NftHookPoint.Prerouting, NftHookPoint.Input],
            (true, false) => [NftHookPoint.Postrouting],
            (false, true) => [NftHookPoint.Input],
            (false, false) => [NftHookPoint.Forward, NftHookPoint.Postrouting],
        };
        if (!packet.IsOwn && isHere && asked.Redirect is { IsBehindInput: true } behind) rest = rest.Concat(SentOn(behind));
        foreach (var place in rest)
            if (Pass(place) is var verdict and not PacketVerdict.Accept) return verdict;
        return PacketVerdict.Accept;
    }

    /// <summary>What IPVS has taken at the host's input goes out as the host's own, though conntrack takes it for no translation.</summary>
    private IEnumerable<NftHookPoint> SentOn(PacketRedirect behind)
    {
        destination = new(NftEnd.Destination, behind.To, behind.To, behind.Port is { } port ? new(port, port) : null);
        packet.SendOn(destination);
        destinationSettled = true;
        yield return NftHookPoint.Output;
        yield return NftHookPoint.Postrouting;
    }

    private bool IsLocal(Address address) => packet.Facts.IsLocal(address)
        ?? Assume(new(LocalAddress.Fact(address), LocalAddress.Question(address)));

    private PacketVerdict Pass(NftHookPoint place)
    {
        places.Add(place);
        var isDestination = place is NftHookPoint.Prerouting or NftHookPoint.Output;
        foreach (var chain in ChainsAt(place))
        {
            var isNat = IsNat(chain);
            if (isDestination && IsBehindOthers(chain)) Redirect(place);
            var settled = isDestination ? destinationSettled : sourceSettled;
            packet.Reach(place, Priority(chain));
            if (isNat && (settled || !BeginsConnection())) continue;
            if (Pass(chain, 0) is { } verdict and not PacketVerdict.Accept) return verdict;
            if (isDestination) destinationSettled |= isNat && destination != null;
            else sourceSettled |= isNat && source != null;
        }
        if (isDestination) Redirect(place);
        destinationSettled |= isDestination;
        sourceSettled |= place is NftHookPoint.Input or NftHookPoint.Postrouting;
        return PacketVerdict.Accept;
    }

    /// <summary>Others' translations of destinations stand where iptables has them, among chains of type nat by their priority.</summary>
    private static bool IsBehindOthers(NftChain chain) => Priority(chain) > NatPriority.Destination
        || (IsNat(chain) && chain.Hook!.Priority >= NatPriority.Destination);

    /// <summary>
    /// What another table does, unless ours have done it before. Of a connection that has begun it was done to the first packet, and is to
    /// each.
    /// </summary>
    private void Redirect(NftHookPoint place)
    {
        if (destinationSettled || asked.Redirect is not { IsBehindInput: false } redirect || redirect == PacketRedirect.None) return;
        packet.Reach(place, NatPriority.Destination);
        if (packet.States == ConnectionStates.Untracked || packet.States == ConnectionStates.Invalid) return;
        destinationSettled = true;
        destination = new(NftEnd.Destination, redirect.To, redirect.To, redirect.Port is { } port ? new(port, port) : null);
        packet.Translate(destination);
    }

    private static bool IsNat(NftChain chain) => chain.Hook!.Type == "nat";

    private IEnumerable<NftChain> ChainsAt(NftHookPoint place) => table.BaseChains.Where(chain => chain.Hook?.Point == place).Reverse()
        .OrderBy(Priority).ThenBy(chain => IsNat(chain) ? chain.Hook!.Priority : 0);

    private static int Priority(NftChain chain) => !IsNat(chain) ? chain.Hook!.Priority
        : chain.Hook!.Point is NftHookPoint.Prerouting or NftHookPoint.Output
            ? NatPriority.Destination : NatPriority.Source;

    private bool BeginsConnection()
    {
        const ConnectionStates first = ConnectionStates.New | ConnectionStates.Related;
        return packet.IsIn(first) ?? Assume(new("whether it begins a connection", "ct state new,related")
        {
            Learn = isSo => packet.LearnState(first, isSo),
        });
    }

    /// <summary>Null: the chain has been passed, and whoever led there goes on.</summary>
    private PacketVerdict? Pass(NftChain chain, int depth)
    {
        foreach (var rule in chain.Rules)
        {
            if (!table.IsInForce(chain, rule))
            {
                if (telling) trail.Add(new(chain, rule, null, null) { IsRefused = true });
                continue;
            }
            var answer = Ask(chain, rule);
            if (answer is NftAnswer.Open unknown)
            {
                conditions.Add(new(unknown.Fact, null, true));
                if (telling) sides = [.. unknown.Sides];
                return PacketVerdict.Open;
            }
            if (answer is NftAnswer.Translation) return PacketVerdict.Accept;
            if (answer is not NftAnswer.Verdict(var to, _)) continue;
            if (to.Code == NftVerdictCode.Accept) return PacketVerdict.Accept;
            if (to.Code == NftVerdictCode.Drop) return PacketVerdict.Drop;
            if (to.Code == NftVerdictCode.Return) return null;
            if (Follow(to, depth) is { } end) return end;
            if (to.Code == NftVerdictCode.Goto) return null;
        }
        return null;
    }

    private PacketVerdict? Follow(NftVerdict to, int depth)
    {
        if (depth < MostJumps && table.Chain(to.Chain!) is { } chain) return Pass(chain, depth + 1);
        conditions.Add(new($"what the kernel makes of a way to chain {to.Chain}, which it does not take", null, true));
        return PacketVerdict.Open;
    }

    /// <summary>
    /// What a rule does. What is not known of its matches is left open until something would be done: another match may not hold, and then
    /// nothing depends on it.
    /// </summary>
    /// <returns>The last answer: a match where the rule does nothing that ends it.</returns>
    private NftAnswer Ask(NftChain chain, NftRule rule)
    {
        open.Clear();
        string? by = null;
        foreach (var statement in rule.Statements)
        {
            var answer = statement.Ask(packet);
            if (answer is not NftAnswer.Match && (statement.Decides || answer is not NftAnswer.Unknown))
            {
                if (Close() is { } stopped) return Stop(chain, rule, stopped, null);
                // What could not be told apart before may be a question now, and the other way round.
                while ((answer = statement.Ask(packet)) is NftAnswer.Unknown unknown && statement.Decides) Assume(unknown);
            }
            if (answer is NftAnswer.Unknown) { open.Add(statement); continue; }
            by = By(answer) ?? by;
            if (answer is NftAnswer.Match { IsSo: false }) return Stop(chain, rule, statement, By(answer));
            Do(answer);
            if (answer is NftAnswer.Match or NftAnswer.Marking or NftAnswer.Untracking) continue;
            return Done(chain, rule, by, answer);
        }
        // Nothing ends by this rule: what is still open in it makes no difference.
        if (open.Count == 0 && telling) trail.Add(new(chain, rule, null, by));
        return NftAnswer.Holds;
    }

    private static string? By(NftAnswer answer) => answer switch
    {
        NftAnswer.Match match => match.By,
        NftAnswer.Verdict verdict => verdict.By,
        _ => null,
    };

    /// <summary>Answers what was left open, in the order of the statements.</summary>
    /// <returns>The one that does not hold; null: all do.</returns>
    private NftStatement? Close()
    {
        foreach (var statement in open)
        {
            var answer = statement.Ask(packet); // one may follow from the one before
            var isSo = answer is NftAnswer.Unknown unknown ? Assume(unknown) == unknown.Wanted : answer is NftAnswer.Match { IsSo: true };
            if (!isSo) return statement;
        }
        open.Clear();
        return null;
    }

    private bool Assume(NftAnswer.Unknown unknown)
    {
        if (unknown.Question is { } asked && assumed.TryGetValue(asked, out var before)) return before;
        var isSo = answers.Count >= script.Length || script[answers.Count];
        answers.Add(isSo);
        if (unknown.Question is { } question) assumed[question] = isSo;
        unknown.Learn?.Invoke(isSo);
        conditions.Add(new(unknown.Fact, unknown.Question, isSo));
        return isSo;
    }

    private NftAnswer Stop(NftChain chain, NftRule rule, NftStatement at, string? by)
    {
        if (telling) trail.Add(new(chain, rule, at, by));
        return NftAnswer.Fails;
    }

    private NftAnswer Done(NftChain chain, NftRule rule, string? by, NftAnswer answer)
    {
        var step = new PacketStep(chain, rule, null, by);
        if (telling) trail.Add(step);
        if (answer is NftAnswer.Translation or NftAnswer.Verdict { To.Code: NftVerdictCode.Accept or NftVerdictCode.Drop }) decided = step;
        return answer;
    }

    private void Do(NftAnswer answer)
    {
        switch (answer)
        {
            case NftAnswer.Marking(var keep, var turn) { IsOfConnection: true }: packet.TurnConnectionMark(keep, turn); break;
            case NftAnswer.Marking(var keep, var turn): packet.TurnMark(keep, turn); break;
            case NftAnswer.Untracking: packet.Untrack(); break;
            case NftAnswer.Translation(var to) translation:
                if (translation.Said is { } said) conditions.Add(said);
                packet.Translate(to);
                if (to.End == NftEnd.Source) source = to;
                else destination = to;
                break;
        }
    }
}
