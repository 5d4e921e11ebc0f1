using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird;

/// <summary>What one client's commands share: whom they ask, where they answer, and what the client has asked for itself.</summary>
internal sealed class Conversation(ISpeaker speaker, IDaemon daemon, TimeProvider clock, UndoTimer undo, Reply reply)
{
    private ILookup<Prefix, ForeignRoute>? foreign;
    private long foreignVersion;

    public ISpeaker Speaker => speaker;
    public IDaemon Daemon => daemon;
    public TimeProvider Clock => clock;
    public Times Times { get; } = new(clock);
    public UndoTimer Undo => undo;
    public Reply Reply => reply;

    /// <summary>The client gave up the right to change anything (<c>restrict</c>, or <c>birdc -r</c>).</summary>
    public bool Restricted { get; set; }

    /// <summary>Which log lines the client wants to see between its answers.</summary>
    public EchoClasses Echo { get; set; }

    /// <summary>A configured next hop names no interface: it is the one whose subnet the gateway is in.</summary>
    public string InterfaceOf(RouteHop hop)
    {
        if (hop.Interface != 0 || hop.Gateway is not { } gateway) return InterfaceName(hop.Interface);
        var link = speaker.KernelState.Addresses.FirstOrDefault(address => address.Subnet.Contains(gateway));
        return link == null ? "?" : InterfaceName(link.Interface);
    }

    /// <summary>The kernel's own record of a prefix; looked up in a table that is made once for a state of the kernel.</summary>
    public ForeignRoute? ForeignRoute(Prefix prefix)
    {
        var now = speaker.KernelState;
        if (foreign is not { } table || foreignVersion != now.Version)
            (foreign, foreignVersion) = (table = now.Routes.Values.ToLookup(route => route.Prefix), now.Version);
        return table[prefix].FirstOrDefault();
    }

    public string InterfaceName(int index) => speaker.KernelState.Links.TryGetValue(index, out var link) ? link.Name : $"if{index}";
}

/// <summary>When an unconfirmed configuration will be undone, for <c>configure status</c>. One for all clients of a socket.</summary>
internal sealed class UndoTimer
{
    private long due;

    /// <summary>Null: everything is confirmed.</summary>
    public DateTimeOffset? Due
    {
        get => Interlocked.Read(ref due) is var ticks && ticks == 0 ? null : new DateTimeOffset(ticks, TimeSpan.Zero);
        set => Interlocked.Exchange(ref due, value?.UtcTicks ?? 0);
    }
}

/// <summary>BIRD's classes of log messages.</summary>
[Flags]
internal enum EchoClasses : ushort
{
    None = 0,
    Debug = 1,
    Trace = 2,
    Info = 4,
    Remote = 8,
    Warning = 16,
    Error = 32,
    Auth = 64,
    Fatal = 128,
    Bug = 256,
    All = 511,
}
