using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>
/// Of which members each network of a family is, and which lie in which: a path-compressed trie in one array, 24 octets a node (IPv6 32),
/// at most two nodes a network. One for all sets: what a set shows of it follows from which of the owners are its members.
/// </summary>
internal sealed class NetOwners(IpFamily family, OwnerLists lists)
{
    private const int None = -1;

    private struct Node
    {
        public ulong High;
        public int Left, Right, Owners;
        public byte Length;
    }

    private Node[] nodes = [];
    /// <summary>The other half of IPv6's addresses.</summary>
    private ulong[] lows = [];
    private int count, root = None, free = None;

    public void Add(Prefix net, int member)
    {
        var (parent, at) = (None, root);
        while (true)
        {
            if (at == None)
            {
                at = New(net.Address, net.Length);
                Link(parent, net.Address, at);
                break;
            }
            if (Covers(at, net))
            {
                if (nodes[at].Length == net.Length) break;
                (parent, at) = (at, Child(at, net.Address));
                continue;
            }
            var common = Math.Min(Math.Min(nodes[at].Length, net.Length), AddressOf(at).CommonBits(net.Address));
            var fork = New(net.Address.Masked(common), common);
            Link(parent, net.Address, fork);
            Link(fork, AddressOf(at), at);
            (parent, at) = (fork, common == net.Length ? fork : None);
            if (at == fork) break;
        }
        lists.Add(ref nodes[at].Owners, member);
    }

    public void Remove(Prefix net, int member)
    {
        var (before, parent, at) = (None, None, root);
        while (at != None && nodes[at].Length < net.Length) (before, parent, at) = (parent, at, Child(at, net.Address));
        lists.Remove(ref nodes[at].Owners, member);
        if (!Drop(parent, at)) return;
        if (parent != None) Drop(before, parent);
    }

    /// <summary>A node that nobody owns and where nothing parts makes room for what is below it.</summary>
    private bool Drop(int parent, int at)
    {
        ref var node = ref nodes[at];
        if (node.Owners != OwnerLists.Empty || (node.Left != None && node.Right != None)) return false;
        var below = node.Left != None ? node.Left : node.Right;
        Link(parent, AddressOf(at), below);
        node.Left = free;
        free = at;
        return true;
    }

    /// <summary>The network itself, or one around it, is there by one of those.</summary>
    public bool IsCovered(Prefix net, in OtherMembers by)
    {
        for (var at = root; at != None && Covers(at, net); at = Child(at, net.Address))
        {
            if (by.Own(nodes[at].Owners)) return true;
            if (nodes[at].Length == net.Length) return false;
        }
        return false;
    }

    /// <summary>The networks inside (not the network itself) that are there by one of those and lie in no other such.</summary>
    public void CollectInside(Prefix net, in OtherMembers by, List<Prefix> into)
    {
        var at = root;
        while (at != None && nodes[at].Length < net.Length && Covers(at, net)) at = Child(at, net.Address);
        if (at == None || !net.Contains(new Prefix(AddressOf(at), nodes[at].Length))) return;
        if (nodes[at].Length > net.Length) Collect(at, by, into);
        else CollectBelow(at, by, into);
    }

    private void Collect(int at, in OtherMembers by, List<Prefix> into)
    {
        if (by.Own(nodes[at].Owners)) into.Add(new(AddressOf(at), nodes[at].Length));
        else CollectBelow(at, by, into);
    }

    private void CollectBelow(int at, in OtherMembers by, List<Prefix> into)
    {
        if (nodes[at].Left != None) Collect(nodes[at].Left, by, into);
        if (nodes[at].Right != None) Collect(nodes[at].Right, by, into);
    }

    private Address AddressOf(int at) => new(nodes[at].High, family == IpFamily.IPv6 ? lows[at] : 0, family);

    private bool Covers(int at, Prefix net) => nodes[at].Length <= net.Length && net.Address.Masked(nodes[at].Length) == AddressOf(at);

    private int Child(int at, Address towards) => towards.Bit(nodes[at].Length) ? nodes[at].Right : nodes[at].Left;

    /// <summary>Where it is, seen from the parent, an address says that lies in it.</summary>
    private void Link(int parent, Address towards, int child)
    {
        if (parent == None) root = child;
        else if (towards.Bit(nodes[parent].Length)) nodes[parent].Right = child;
        else nodes[parent].Left = child;
    }

    private int New(Address address, int length)
    {
        var at = free;
        if (at != None) free = nodes[at].Left;
        else
        {
            at = count++;
            if (at == nodes.Length) Grow();
        }
        nodes[at] = new() { High = address.High, Left = None, Right = None, Owners = OwnerLists.Empty, Length = (byte)length };
        if (family == IpFamily.IPv6) lows[at] = address.Low;
        return at;
    }

    private void Grow()
    {
        var size = Math.Max(16, nodes.Length + (nodes.Length / 2));
        Array.Resize(ref nodes, size);
        if (family == IpFamily.IPv6) Array.Resize(ref lows, size);
    }
}
