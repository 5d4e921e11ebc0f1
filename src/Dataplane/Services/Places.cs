using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>Which address a translation's place has at one moment: an interface's first, without link-local ones.</summary>
internal sealed class Places(KernelSnapshot kernel)
{
    private const byte Universe = 0;

    private readonly Dictionary<(string, IpFamily), Address?> found = [];

    public Address? Of(TranslationPlace place)
    {
        if (place.Address is { } address) return address;
        var key = (place.Interface!, place.Family);
        if (!found.TryGetValue(key, out var first)) found[key] = first = First(key);
        return first;
    }

    public bool HasLink(string name) => kernel.Links.Values.Any(link => link.Name == name);

    /// <summary>Why it has none.</summary>
    public string Lacks(TranslationPlace place) => HasLink(place.Interface!)
        ? $"{place.Interface} has no address of {place.Family.Word()}" : $"there is no interface {place.Interface}";

    /// <summary>It is an address of this machine's.</summary>
    public bool IsHere(Address address) => address.IsLoopback || kernel.Addresses.Any(one => one.Address == address);

    private Address? First((string Interface, IpFamily Family) of) => kernel.Addresses.FirstOrDefault(one =>
        one.Scope == Universe && one.Address.Family == of.Family
        && kernel.Links.GetValueOrDefault(one.Interface)?.Name == of.Interface)?.Address;
}
