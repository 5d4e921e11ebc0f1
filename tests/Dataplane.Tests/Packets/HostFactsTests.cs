using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Packets;

public class HostFactsTests
{
    private const uint Loopback = 8;

    private static LinkAddress At(int link, string address, byte scope = 0, bool secondary = false)
    {
        var parts = address.Split('/');
        return new(link, Address.Parse(parts[0]), int.Parse(parts[1]), null, scope, secondary);
    }

    private static readonly HostFacts Facts = new(KernelSnapshot.Empty with
    {
        Version = 1,
        Links = new Dictionary<int, Link>
        {
            [1] = new(1, "lo", Loopback, 65536, 0, null),
            [2] = new(2, "eth0", 1, 1500, 0, null),
            [3] = new(3, "eth1", 1, 1500, 0, null),
        }.ToImmutableDictionary(),
        Addresses =
        [
            At(1, "127.0.0.1/8", scope: 254), At(2, "10.0.0.1/24"), At(2, "10.0.1.1/24"), At(2, "10.0.1.2/24", secondary: true),
            At(2, "169.254.0.1/16", scope: 253), At(2, "fd00::1/64"), At(2, "fe80::1/64", scope: 253),
            At(3, "fd01::1/64"), At(3, "fd01::2/64"),
        ],
    });

    [Theory]
    [InlineData("10.0.0.1", true, true)]
    [InlineData("127.9.9.9", true, false)]
    [InlineData("10.0.0.2", false, false)]
    [InlineData("fd01::2", true, false)]
    public void An_address_is_this_hosts_as_the_kernel_has_it(string address, bool local, bool onEth0) =>
        Assert.Equal((local, onEth0), (Facts.IsLocal(Address.Parse(address)), Facts.IsLocalOn(Address.Parse(address), "eth0")));

    [Fact]
    public void Before_the_kernels_addresses_are_known_nothing_is_said() =>
        Assert.Equal((null, null), (new HostFacts(KernelSnapshot.Empty).IsLocal(Address.Parse("10.0.0.1")),
            new HostFacts(KernelSnapshot.Empty).IsLocalOn(Address.Parse("10.0.0.1"), "eth0")));

    [Theory]
    [InlineData("eth0", "198.51.100.1", "10.0.0.1")]
    [InlineData("eth0", "10.0.1.9", "10.0.1.1")]
    [InlineData("eth0", "2001:db8::1", "fd00::1")]
    [InlineData("eth1", "2001:db8::1", null)]
    [InlineData("eth1", "198.51.100.1", null)]
    public void Masquerade_takes_the_address_beside_the_next_hop_or_the_first_and_of_several_of_IPv6_none_is_guessed(
        string link, string towards, string? address) =>
        Assert.Equal(address, Facts.Masqueraded(link, Address.Parse(towards))?.ToString());
}
