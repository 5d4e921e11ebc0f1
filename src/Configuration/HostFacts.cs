using System.Collections.Immutable;
using System.Net.NetworkInformation;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Configuration;

/// <summary>What bgpd.yaml's defaults take from the machine: an input as the text is, so that reading is a function.</summary>
/// <param name="NodeName">$NODENAME, as Calico's manifests set it; null where it is not set.</param>
/// <param name="Addresses">In the order of the interfaces.</param>
public sealed record HostFacts(string HostName, string? NodeName, ImmutableArray<Address> Addresses)
{
    /// <summary>What calico-node takes from its environment.</summary>
    public CalicoEnvironment Calico { get; init; } = CalicoEnvironment.None;

    /// <summary>The same, each with the interface that has it.</summary>
    public ImmutableArray<(string Interface, Address Address)> Interfaces { get; init; } = [];

    public static readonly HostFacts None = new("localhost", null, []);

    public static HostFacts Read()
    {
        var interfaces = ReadInterfaces();
        return new(Environment.MachineName, Environment.GetEnvironmentVariable("NODENAME"), [.. interfaces.Select(one => one.Address)])
        {
            Calico = CalicoEnvironment.Read(),
            Interfaces = interfaces,
        };
    }

    private static ImmutableArray<(string Interface, Address Address)> ReadInterfaces()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(nic => nic.GetIPProperties().UnicastAddresses
                    .Select(unicast => (nic.Name, Address.From(unicast.Address))))];
        }
        // A machine that does not show its interfaces still has a name to make an identifier of.
        catch (NetworkInformationException) { return []; }
    }

    /// <summary>
    /// The identifier that a node has where none is configured: its first global IPv4 address, as BIRD and Calico do it, or else a hash of
    /// its name. Equal on every start, which a random one would not be; never zero (RFC 6286 section 2.1).
    /// </summary>
    public RouterId DefaultRouterId(string node)
    {
        foreach (var address in Addresses)
            if (address.IsIPv4 && !address.IsLoopback && !address.IsMulticast && !address.IsUnspecified && address.IPv4Bits >> 16 != 0xa9fe)
                return new(address.IPv4Bits);
        return NodeHash.RouterId(node);
    }
}
