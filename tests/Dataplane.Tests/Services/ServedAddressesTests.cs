using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;
using FsCheck.Xunit;

namespace Calico.Bgp.Dataplane.Tests.Services;

public class ServedAddressesTests
{
    private static Address At(int number) => Address.FromIPv4(0x0a600000u + (uint)number);

    [Fact]
    public void What_comes_and_goes_before_anybody_asks_is_no_change()
    {
        var served = new ServedAddresses();
        served.Exchange(null, At(1));
        var before = served.All;
        served.Exchange(null, At(2));
        served.Exchange(At(2), null);
        served.Exchange(At(1), null);
        served.Exchange(null, At(1));
        Assert.Same(before, served.All);
    }

    /// <summary>Each translation leads to one of four addresses, or nowhere (4), and all are asked for now and then.</summary>
    [Property]
    public bool Those_are_served_that_some_translation_leads_to((byte Translation, byte To, bool Asks)[] turns)
    {
        var served = new ServedAddresses();
        var now = new Address?[8];
        foreach (var (translation, to, asks) in turns)
        {
            Address? next = to % 5 == 4 ? null : At(to % 5);
            served.Exchange(now[translation % 8], next);
            now[translation % 8] = next;
            if (asks && !served.All.SetEquals(now.OfType<Address>())) return false;
        }
        return served.All.SetEquals(now.OfType<Address>());
    }
}
