using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Rib;

/// <summary>
/// Packs the changes of one batch into as few UPDATEs as possible: prefixes that leave with the same attributes share messages, in
/// whatever order they came. A run is a set of prefixes whose best path has the same attributes and the same source.
/// </summary>
/// <param name="keys">Where several paths of a prefix are told: what the nodes below are then; null: they are rows of the table.</param>
internal sealed class UpdatePacker(IpFamily family, PrefixTable table, EncodeContext context, PathKeys? keys = null) : IDisposable
{
    private struct Run
    {
        public ushort Source;
        public bool Accepted;
        public int OctetsAt, OctetsLength;
        /// <summary>Chains through <see cref="links"/>, so that prefixes leave in the order they came.</summary>
        public int First, Last;
    }

    private struct Link
    {
        public uint Node;
        public int Next;
    }

    /// <summary>Which run an attribute handle got in this batch.</summary>
    private struct Mark
    {
        public uint Batch;
        public int Run;
    }

    private readonly UpdateEncoder encoder = new(context);
    private readonly Slab<Mark> marks = new();
    private readonly List<Run> runs = [];
    private readonly List<Link> links = [];
    private readonly List<(uint Node, ushort Source, bool Only)> withdrawn = [];
    private byte[] octets = new byte[4096];
    private int octetsUsed;
    private byte[] nlri = new byte[8192];
    private uint batch;

    private readonly PeerTally announcedBySource = new();

    public void Dispose() => marks.Dispose();

    public int Announced { get; private set; }
    /// <summary>How many of the batch's announcements go to this peer: all but its own routes.</summary>
    public int AnnouncedTo(ushort peer) => Announced - announcedBySource[peer];
    public int Withdrawn => withdrawn.Count;

    public void Begin()
    {
        batch++;
        runs.Clear();
        links.Clear();
        withdrawn.Clear();
        announcedBySource.Clear();
        octetsUsed = 0;
        Announced = 0;
    }

    /// <summary>The run of these attributes from this source; false where the batch has none yet.</summary>
    public bool TryFindRun(uint attributes, ushort source, out int run)
    {
        ref var mark = ref marks.Column(attributes);
        run = mark.Run;
        return mark.Batch == batch && runs[run].Source == source;
    }

    /// <param name="leaving">Canonical octets as they leave; copied. Ignored where not accepted.</param>
    /// <param name="shared">Other prefixes with the same attributes and source may join it.</param>
    public int AddRun(uint attributes, ushort source, bool accepted, ReadOnlySpan<byte> leaving, bool shared)
    {
        if (octetsUsed + leaving.Length > octets.Length) Array.Resize(ref octets, Math.Max(octets.Length * 2, octetsUsed + leaving.Length));
        leaving.CopyTo(octets.AsSpan(octetsUsed));
        runs.Add(new()
        {
            Source = source,
            Accepted = accepted,
            OctetsAt = octetsUsed,
            OctetsLength = leaving.Length,
            First = -1,
            Last = -1
        });
        octetsUsed += leaving.Length;
        var run = runs.Count - 1;
        if (shared) marks.Column(attributes) = new() { Batch = batch, Run = run };
        return run;
    }

    /// <summary>Whether a message has room for these attributes and the prefix.</summary>
    public bool Fits(Prefix prefix, ReadOnlySpan<byte> leaving) => encoder.Fits(prefix, leaving);

    public bool IsAccepted(int run) => runs[run].Accepted;
    public ReadOnlySpan<byte> LeavingOctets(int run) => octets.AsSpan(runs[run].OctetsAt, runs[run].OctetsLength);

    /// <summary>A path of this peer's that leaves with these attributes belongs to the run.</summary>
    public bool Joins(int run, ushort source, ReadOnlySpan<byte> leaving) =>
        IsAccepted(run) && runs[run].Source == source && LeavingOctets(run).SequenceEqual(leaving);
    public int LastRun => runs.Count - 1;

    public void Announce(int run, uint node)
    {
        ref var of = ref CollectionsMarshal.AsSpan(runs)[run];
        var link = links.Count;
        links.Add(new() { Node = node, Next = -1 });
        if (of.First < 0) of.First = link;
        else CollectionsMarshal.AsSpan(links)[of.Last].Next = link;
        of.Last = link;
        Announced++;
        announcedBySource.Add(of.Source, 1);
    }

    /// <param name="source">The peer that never had it (it came from there), or the only one that loses it.</param>
    public void Withdraw(uint node, ushort source, bool only) => withdrawn.Add((node, source, only));

    /// <summary>Writes the batch's messages. Sources that are receivers themselves are left out of what came from them.</summary>
    /// <param name="tooLong">Called for prefixes whose attributes fit no message: they count as withdrawn for everybody.</param>
    public void Write(OutBuffer into, Func<ushort, bool> isReceiver, Action<uint> tooLong)
    {
        WriteWithdrawn(into, isReceiver);
        foreach (ref var run in CollectionsMarshal.AsSpan(runs))
        {
            if (run.First < 0) continue;
            var length = 0;
            for (var at = run.First; at >= 0; at = links[at].Next) length = Append(length, links[at].Node);
            var start = into.Length;
            if (!encoder.Announce(family, octets.AsSpan(run.OctetsAt, run.OctetsLength), nlri.AsSpan(0, length), into))
                WriteAlone(run, into, tooLong);
            if (isReceiver(run.Source)) into.Except(start, run.Source, only: false);
        }
    }

    /// <summary>A message has little room beside these attributes, or none: enough for a short prefix, perhaps.</summary>
    private void WriteAlone(in Run run, OutBuffer into, Action<uint> tooLong)
    {
        for (var at = run.First; at >= 0; at = links[at].Next)
        {
            var length = Append(0, links[at].Node);
            if (encoder.Announce(family, octets.AsSpan(run.OctetsAt, run.OctetsLength), nlri.AsSpan(0, length), into)) continue;
            encoder.Withdraw(family, nlri.AsSpan(0, length), into);
            tooLong(links[at].Node);
        }
    }

    private void WriteWithdrawn(OutBuffer into, Func<ushort, bool> isReceiver)
    {
        for (var from = 0; from < withdrawn.Count;)
        {
            var (_, source, only) = withdrawn[from];
            var special = only || isReceiver(source);
            var length = 0;
            var to = from;
            for (; to < withdrawn.Count; to++)
            {
                var next = withdrawn[to];
                var isSame = next.Source == source && next.Only == only;
                if (!isSame && (special || next.Only || isReceiver(next.Source))) break;
                length = Append(length, next.Node);
            }
            var start = into.Length;
            encoder.Withdraw(family, nlri.AsSpan(0, length), into);
            if (special) into.Except(start, source, only);
            from = to;
        }
    }

    private int Append(int length, uint node)
    {
        if (length + 24 > nlri.Length) Array.Resize(ref nlri, nlri.Length * 2);
        if (context.AddPath.Has(family))
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(nlri.AsSpan(length), keys!.IdOf(node));
            length += 4;
            node = keys.NodeOf(node);
        }
        return length + table.WriteNlri(node, nlri.AsSpan(length));
    }
}
