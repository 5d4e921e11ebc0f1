using System.ComponentModel;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Packets;

/// <summary>This host as it is at one moment, for many packets: of each address and each way the kernel is asked once.</summary>
/// <exception cref="Win32Exception">The kernel gives no netlink socket.</exception>
internal sealed class PassingHost(KernelSnapshot kernel) : IHostFacts, IDisposable
{
    private readonly HostFacts facts = new(kernel);
    private readonly PacketWays ways = new();
    private readonly Dictionary<(Address, uint), string?> links = [];

    public bool? IsLocal(Address address) => facts.IsLocal(address);

    public bool? IsLocalOn(Address address, string link) => facts.IsLocalOn(address, link);

    public bool? ComesBackBy(Address source, uint mark, string link) => kernel.Version == 0 ? null : LinkTo(source, mark) == link;

    /// <summary>Null: none leads there, or it ends here.</summary>
    public string? LinkTo(Address address, uint mark = 0)
    {
        if (links.TryGetValue((address, mark), out var known)) return known;
        return links[(address, mark)] = ways.Back(address, mark) is { } way ? facts.NameOf(way.Interface) : null;
    }

    public void Dispose() => ways.Dispose();
}
