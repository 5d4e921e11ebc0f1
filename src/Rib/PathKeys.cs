using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>
/// Numbers for the paths that are told beside each other (RFC 7911): one for each prefix and path identifier, shared by all groups of one
/// family that tell several paths of a prefix. What such a group keeps, it keeps by these numbers, as others keep it by the prefix's row.
/// The identifier is the path's own row in the Loc-RIB, so it stays the same for the path's life, or what an earlier process called the
/// path
/// that this one took over; and a key outlives its path until everybody has been told. 20 octets a key, and nothing where every group tells
/// one path.
/// </summary>
internal sealed class PathKeys : IDisposable
{
    private struct Row
    {
        public uint Next, Node, Path, Id;
    }

    private readonly Slab<Row> rows = new();
    /// <summary>The first of a prefix's keys.</summary>
    private readonly Slab<uint> firsts = new();

    /// <summary>Every key is below this one.</summary>
    public uint End => rows.End;
    public long Octets => rows.Octets + firsts.Octets;

    public uint First(uint node) => firsts.Peek(node);
    public uint Next(uint key) => rows[key].Next;
    public uint NodeOf(uint key) => rows[key].Node;
    public uint PathOf(uint key) => rows[key].Path;
    /// <summary>As the path is called towards peers.</summary>
    public uint IdOf(uint key) => rows[key].Id;

    public uint Add(uint node, uint path)
    {
        // What was taken over may be called as this row is.
        var id = path;
        while (Called(node, id) != 0) id += 0x8000_0001;
        return Add(node, path, id);
    }

    /// <param name="path">0: there is none (any more), and it is still to be taken back.</param>
    public uint Add(uint node, uint path, uint id)
    {
        var key = rows.Add();
        ref var first = ref firsts.Column(node);
        rows[key] = new() { Next = first, Node = node, Path = path, Id = id };
        return first = key;
    }

    /// <summary>The key of the prefix's path that is called so; 0: none is.</summary>
    public uint Called(uint node, uint id)
    {
        var key = First(node);
        while (key != 0 && rows[key].Id != id) key = rows[key].Next;
        return key;
    }

    /// <summary>Removes those that nobody keeps anything by.</summary>
    /// <returns>True: the prefix has none any more.</returns>
    public bool Sweep(uint node, Func<uint, bool> isIdle)
    {
        var previous = 0u;
        for (var key = First(node); key != 0;)
        {
            var next = rows[key].Next;
            if (!isIdle(key)) previous = key;
            else
            {
                if (previous == 0) firsts.Column(node) = next;
                else rows[previous].Next = next;
                rows.Remove(key);
            }
            key = next;
        }
        return First(node) == 0;
    }

    public void Dispose()
    {
        rows.Dispose();
        firsts.Dispose();
    }
}
