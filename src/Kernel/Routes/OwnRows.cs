using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Routes;

[Flags]
internal enum RowState : byte
{
    None = 0,
    /// <summary>Wanted and installed may differ: it waits for the writer.</summary>
    Queued = 1,
    /// <summary>Left by an earlier run and not wished for; it stays until the sweep.</summary>
    Stale = 2,
    /// <summary>There is a refusal for it.</summary>
    Refused = 4,
    /// <summary>The reading under way has met it.</summary>
    Seen = 8,
}

/// <summary>A row of one of the two families, in 4 octets.</summary>
internal readonly record struct RowName(uint Value)
{
    private const uint IPv6Bit = 1u << 31;

    public RowName(IpFamily family, uint handle) : this(family == IpFamily.IPv6 ? handle | IPv6Bit : handle) { }

    public IpFamily Family => (Value & IPv6Bit) != 0 ? IpFamily.IPv6 : IpFamily.IPv4;
    public uint Handle => Value & ~IPv6Bit;
}

/// <summary>Prefix → (wanted target, installed target, state) of one family: 21 octets a prefix in IPv4, besides the index.</summary>
internal sealed class OwnRows(IpFamily family) : IDisposable
{
    private readonly PrefixTable prefixes = PrefixTable.Of(family);
    private readonly Slab<uint> installed = new();
    private readonly Slab<RowState> states = new();

    public void Dispose()
    {
        prefixes.Dispose();
        installed.Dispose();
        states.Dispose();
    }

    public IpFamily Family => family;
    public int Count => prefixes.Count;
    public uint End => prefixes.End;
    public bool IsUsed(uint handle) => prefixes.IsUsed(handle);
    public Prefix this[uint handle] => prefixes[handle];

    public uint Find(Prefix prefix) => prefixes.Find(prefix);

    public uint FindOrAdd(Prefix prefix)
    {
        var handle = prefixes.FindOrAdd(prefix);
        installed.Column(handle);
        states.Column(handle);
        return handle;
    }

    public ref uint Wanted(uint handle) => ref prefixes.Value(handle);
    public ref uint Installed(uint handle) => ref installed[handle];
    public ref RowState State(uint handle) => ref states[handle];

    public void Remove(uint handle)
    {
        (installed[handle], states[handle]) = (0, RowState.None);
        prefixes.Remove(handle);
    }
}
