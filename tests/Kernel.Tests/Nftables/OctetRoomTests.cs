using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Nftables;

public class OctetRoomTests
{
    private static readonly Address Four = Address.Parse("192.0.2.1"), Six = Address.Parse("2001:db8::1");

    /// <summary>Whatever was expected, and however many there are.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(100_000)]
    public void What_stands_in_a_room_is_what_it_is_by_itself(int expected)
    {
        var room = new OctetRoom(expected);
        var (kept, alone) = (new List<NftOctets>(), new List<NftOctets>());
        for (ushort port = 0; port < 200; port++)
            foreach (var address in (Address[])[Four, Six])
            {
                kept.AddRange([NftOctets.Of(address, room), NftOctets.OfPort(address, port, room),
                    ActSpread.Key(address, 6, port, port, room), ActSourceNatByService.Key(address, 17, null, address, null, room)]);
                alone.AddRange([NftOctets.Of(address), NftOctets.OfPort(address, port),
                    ActSpread.Key(address, 6, port, port), ActSourceNatByService.Key(address, 17, null, address, null)]);
            }
        Assert.Equal(alone.Select(one => one.ToString()), kept.Select(one => one.ToString()));
        Assert.Equal(alone, kept);
        Assert.Equal(alone.Select(one => one.GetHashCode()), kept.Select(one => one.GetHashCode()));
        Assert.All(kept.Zip(alone), pair => Assert.Equal(0, pair.First.CompareTo(pair.Second)));
    }
}
