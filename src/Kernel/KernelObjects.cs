using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.NextHops;
using Calico.Bgp.Kernel.Overlays;
using Calico.Bgp.Kernel.Rules;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Kernel;

/// <summary>What one owner wants of rules, next hops and overlays. It says all at once, because it is little.</summary>
internal sealed class OwnerObjects(string name)
{
    public string Name => name;
    public IReadOnlyCollection<KernelObject> Wanted { get; private set; } = [];
    public bool HasSpoken { get; private set; }

    public void Want(IReadOnlyCollection<KernelObject> all) => (Wanted, HasSpoken) = (all, true);
}

/// <summary>
/// Rules, next hops and overlays as they are wanted, beside what the kernel has under our protocol: read at the start and after somebody
/// else was at them, put right, refused by name. They are few, so all of them are compared at each change, and each is asked for by itself.
/// </summary>
internal sealed class KernelObjects(byte protocol, NetlinkSocket write, NetlinkDump dump, ILogger log, TimeProvider clock)
{
    private readonly List<OwnerObjects> owners = [];
    private readonly Dictionary<object, KernelObject> there = [];
    private readonly Refusals<(string Owner, KernelObject Object)> refusals = new(clock);
    private readonly HashSet<object> known = [];
    private readonly byte[] answers = new byte[1 << 16];
    private HashSet<uint> gone = [];
    private bool dirty, doubted = true;

    /// <summary>All that is wanted is there, or refused.</summary>
    public bool IsSettled => !dirty;

    public TimeSpan? Wait => refusals.Wait;

    /// <summary>How often a next hop that somebody had taken away was put back: the routes over it went with it.</summary>
    public long Restored { get; private set; }

    /// <summary>How many next hops and groups have come: a route that was refused for want of one may be possible now.</summary>
    public long Made { get; private set; }

    /// <summary>Next hops and groups that were taken away since this was asked last: the routes over them went with them.</summary>
    public IReadOnlySet<uint> TakeGone()
    {
        var taken = gone;
        if (taken.Count > 0) gone = [];
        return taken;
    }

    public OwnerObjects Claim(string name)
    {
        if (owners.Find(owner => owner.Name == name) is { } same) return same;
        var claimed = new OwnerObjects(name);
        owners.Add(claimed);
        return claimed;
    }

    public void Want(OwnerObjects owner, IReadOnlyCollection<KernelObject> all)
    {
        owner.Want(all);
        foreach (var one in all) known.Add(one.Key);
        dirty = true;
    }

    /// <summary>What is there may have changed. Before anybody wants anything it does not matter.</summary>
    public void Doubt()
    {
        doubted = true;
        dirty |= owners.Count > 0;
    }

    /// <summary>Somebody else has been at a next hop or a rule: whether it is one that we know.</summary>
    public void Hear(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        if (owners.Count == 0) return;
        var isRule = header.Type is MessageType.NewRule or MessageType.DelRule;
        KernelObject found;
        byte of;
        if (isRule)
        {
            if (!RoutingRule.TryRead(body, out var rule, out of)) return;
            found = rule;
        }
        else if (!NextHopMessage.TryRead(body, out found, out of)) return;
        if (of == protocol || there.ContainsKey(found.Key)) Doubt();
    }

    /// <summary>Surroundings have changed, or a refused one's time has come.</summary>
    public void Retry(bool all)
    {
        if (refusals.Count > 0 && (all || refusals.Wait == TimeSpan.Zero)) refusals.Release(all, _ => dirty = true);
    }

    public ImmutableArray<ObjectRefusal> List(int limit) =>
    [
        .. refusals.List(limit).Select(entry => new ObjectRefusal(
            entry.Key.Object, entry.Key.Owner, entry.Refusal.Errno, entry.Refusal.Words, entry.Refusal.Since, entry.Refusal.Attempts)),
    ];

    /// <summary>Does of it what can be done: what routes lean on before they are written, what leans on routes behind that.</summary>
    /// <param name="routesAreWritten">None of them waits.</param>
    public void Round(bool routesAreWritten)
    {
        if (!dirty || (doubted && !Read())) return;
        var wanted = Merge();
        foreach (var gone in there.Values.Where(one => !wanted.ContainsKey(one.Key) && IsLeft(one)).OrderByDescending(one => one.Level)
            .ToArray())
            if (gone.Level == KernelObject.BehindRoutes || routesAreWritten) Remove(gone);
        foreach (var (owner, one) in wanted.Values.OrderBy(one => one.Object.Level).ToArray())
            if (one.Level < KernelObject.BehindRoutes || routesAreWritten) Put(owner, one);
        if (!routesAreWritten) return;
        dirty = false;
        foreach (var (key, _) in refusals.List(int.MaxValue))
            if (!IsRefused(key, wanted)) refusals.Remove(key);
    }

    /// <summary>Its owner still wants it, and it is not there.</summary>
    private bool IsRefused((string Owner, KernelObject Object) key, Dictionary<object, (string Owner, KernelObject Object)> wanted) =>
        owners.Exists(owner => owner.Name == key.Owner && owner.Wanted.Contains(key.Object))
        && (wanted[key.Object.Key] != key || !there.TryGetValue(key.Object.Key, out var found) || found != key.Object);

    /// <summary>Of two owners that mean the same key the one that claimed first has it.</summary>
    private Dictionary<object, (string Owner, KernelObject Object)> Merge()
    {
        var wanted = new Dictionary<object, (string Owner, KernelObject Object)>();
        foreach (var owner in owners)
            foreach (var one in owner.Wanted)
                if (!wanted.TryAdd(one.Key, (owner.Name, one)) && wanted[one.Key] is var held && held.Object != one)
                    Refuse(owner.Name, one, EEXIST, $"File exists: it belongs to {held.Owner}");
        return wanted;
    }

    /// <summary>Nobody wants it any more: he did in this run, or all have spoken, so that it is of an earlier one.</summary>
    private bool IsLeft(KernelObject one) => known.Contains(one.Key) || owners.TrueForAll(owner => owner.HasSpoken);

    private void Put(string owner, KernelObject one)
    {
        var isThere = there.TryGetValue(one.Key, out var found);
        if ((isThere && found == one) || refusals.Blocks((owner, one))) return;
        var errno = Ask(one.New(protocol, replace: isThere), out var words);
        if (errno != 0) { Refuse(owner, one, errno, words); return; }
        there[one.Key] = one;
        if (!isThere && one.Key is uint) Made++;
        if (one.Tune() is { } problem) KernelLog.ObjectUntuned(log, problem);
    }

    private void Remove(KernelObject one)
    {
        var errno = Ask(one.Delete(protocol), out _);
        if (errno == 0 || errno == ENOENT || errno == ESRCH || errno == ENODEV) Forget(one);
        else Doubt();
    }

    /// <summary>A next hop goes out of its groups, and a group goes with its last.</summary>
    private void Forget(KernelObject one)
    {
        there.Remove(one.Key);
        if (one.Key is not uint id) return;
        gone.Add(id);
        foreach (var group in there.Values.OfType<NextHopGroup>().Where(group => group.Members.Any(member => member.Id == id)).ToArray())
        {
            var rest = group.Members.Where(member => member.Id != id).ToArray();
            if (rest.Length == 0) Forget(group);
            else there[group.Key] = group with { Members = [.. rest] };
        }
    }

    private void Refuse(string owner, KernelObject one, int errno, string words)
    {
        if (refusals.Add((owner, one), errno, words) == 1) KernelLog.ObjectRefused(log, one.ToString(), owner, words);
    }

    private bool Read()
    {
        var before = there.Values.Where(one => one.Level is >= 0 and < KernelObject.BehindRoutes).ToArray();
        there.Clear();
        var read = Read(NextHopMessage.Dump()) && Read(RoutingRule.Dump(IpFamily.IPv4)) && Read(RoutingRule.Dump(IpFamily.IPv6))
            && ReadOverlays();
        doubted = !read;
        if (before.Any(one => !there.ContainsKey(one.Key))) Restored++;
        return read;
    }

    /// <summary>What a kernel without next hops says of them is no reason not to have rules.</summary>
    private bool Read(NetlinkMessage request) => dump.Read(request, Meet, out _) != DumpEnd.Interrupted;

    private bool ReadOverlays()
    {
        var links = new List<int>();
        var read = dump.Read(VxlanLink.Dump(), (in NetlinkHeader _, ReadOnlySpan<byte> body) =>
        {
            if (!VxlanLink.TryRead(body, protocol, out var link, out var index)) return;
            there[link.Key] = link;
            links.Add(index);
        }, out _) != DumpEnd.Interrupted;
        foreach (var link in links)
            foreach (var family in (byte[])[OverlayMessage.Bridge, IpFamily.IPv4.Number(), IpFamily.IPv6.Number()])
                read &= dump.Read(OverlayMessage.Dump(family, link), (in NetlinkHeader _, ReadOnlySpan<byte> body) =>
                {
                    if (OverlayMessage.TryRead(body, link, out var found)) there[found.Key] = found;
                }, out _) != DumpEnd.Interrupted;
        return read;
    }

    private void Meet(in NetlinkHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Type == MessageType.NewRule && RoutingRule.TryRead(body, out var rule, out var by) && by == protocol) there[rule] = rule;
        if (header.Type == MessageType.NewNextHop && NextHopMessage.TryRead(body, out var hop, out by) && by == protocol)
            there[hop.Key] = hop;
    }

    /// <returns>The kernel's errno; 0: done.</returns>
    private int Ask(NetlinkMessage request, out string words)
    {
        var sequence = write.Sequences(1);
        words = "the kernel's answer is lost";
        if (write.Send(request.Numbered(sequence).Span) != System.Net.Sockets.SocketError.Success) return EIO;
        while (true)
        {
            var count = write.Receive(answers, out var error);
            if (error != System.Net.Sockets.SocketError.Success) return EIO;
            var messages = new NetlinkReader(answers.AsSpan(0, count));
            while (messages.Next(out var header, out var body))
            {
                if (header.Sequence != sequence || header.Type != MessageType.Error) continue;
                var answer = new NetlinkAnswer(header, body);
                words = answer.AdvisedWords;
                return answer.Errno;
            }
        }
    }
}
