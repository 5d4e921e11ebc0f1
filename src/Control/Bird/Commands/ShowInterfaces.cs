using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary><c>show interfaces [summary]</c>: the kernel's links and addresses as the daemon sees them.</summary>
internal sealed class ShowInterfaces(bool summary) : Command
{
    private const uint Broadcast = 2, PointToPoint = 16;

    public static Command Parse(Tokens tokens)
    {
        var summary = tokens.Accept("summary");
        tokens.ExpectEnd(summary ? [] : ["SUMMARY"]);
        return new ShowInterfaces(summary);
    }

    public override ValueTask RunAsync(Conversation with, CancellationToken stop)
    {
        var kernel = with.Speaker.KernelState;
        var addresses = kernel.Addresses.ToLookup(address => address.Interface);
        if (summary) with.Reply.Line(ReplyCode.InterfaceSummaryHeading, SummaryRow("Interface", "State", "IPv4 address", "IPv6 address"));
        foreach (var link in kernel.Links.Values.OrderBy(link => link.Index))
        {
            var its = new LinkAddresses([.. addresses[link.Index]]);
            if (summary) with.Reply.Line(ReplyCode.InterfaceSummary, Summary(link, its));
            else Write(with, link, its);
        }
        with.Reply.End(ReplyCode.Ok);
        return default;
    }

    private static string SummaryRow(string name, string state, string ipv4, string ipv6) => $"{name,-10} {state,-6} {ipv4,-18} {ipv6}";

    private static string Summary(Link link, LinkAddresses its) =>
        SummaryRow(link.Name, State(link), Text(its.IPv4), Text(its.IPv6 ?? its.LinkLocal));

    private static string Text(LinkAddress? address) => address == null ? "" : $"{address.Address}/{address.PrefixLength}";

    private static string State(Link link) => link.IsUp ? "up" : "down";

    private static void Write(Conversation with, Link link, LinkAddresses its)
    {
        var master = link.Master != 0 ? $" master={with.InterfaceName(link.Master)}" : "";
        with.Reply.Line(ReplyCode.Interface, $"{link.Name} {State(link)} (index={link.Index}{master})");
        with.Reply.Line(ReplyCode.InterfaceFlags, "\t" + Flags(link));
        foreach (var address in its.All) with.Reply.Line(ReplyCode.InterfaceAddress, $"\t{Text(address)} ({its.Notes(address)})");
    }

    /// <summary>BIRD's view of the link: every broadcast or point-to-point one takes multicast, and loopback is left alone.</summary>
    private static string Flags(Link link)
    {
        var kind = link switch
        {
            { IsLoopback: true } => "MultiAccess",
            { Flags: var flags } when (flags & PointToPoint) != 0 => "PtP Multicast",
            { Flags: var flags } when (flags & Broadcast) != 0 => "MultiAccess Broadcast Multicast",
            _ => "MultiAccess",
        };
        var admin = link.IsUp ? "AdminUp" : "AdminDown";
        var carrier = link.HasCarrier ? "LinkUp" : "LinkDown";
        var loopback = link.IsLoopback ? " Loopback Ignored" : "";
        return $"{kind} {admin} {carrier}{loopback} MTU={link.Mtu}";
    }
}

/// <summary>An interface's addresses, and which one of each sort stands for it.</summary>
internal sealed class LinkAddresses(IReadOnlyList<LinkAddress> all)
{
    public IReadOnlyList<LinkAddress> All { get; } = [.. all.Where(one => one.Address.IsIPv4), .. all.Where(one => !one.Address.IsIPv4)];

    public LinkAddress? IPv4 => First(address => address.IsIPv4);
    public LinkAddress? IPv6 => First(address => !address.IsIPv4 && !address.IsLinkLocal);
    public LinkAddress? LinkLocal => First(address => address.IsLinkLocal);

    /// <summary><c>Preferred, opposite 10.0.0.2, scope site</c>.</summary>
    public string Notes(LinkAddress address)
    {
        var rank = address == IPv4 || address == IPv6 || address == LinkLocal ? "Preferred, " : address.Secondary ? "Secondary, " : "";
        var opposite = address.Opposite is { } other && other != address.Address ? $"opposite {other}, " : "";
        return $"{rank}{opposite}scope {Scope(address.Address)}";
    }

    private LinkAddress? First(Func<Address, bool> sort) => all.FirstOrDefault(one => !one.Secondary && sort(one.Address));

    private static readonly Prefix[] Sites =
        [.. ((string[])["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"]).Select(Prefix.Parse)];

    private static readonly Prefix LinkLocalIPv4 = Prefix.Parse("169.254.0.0/16");

    /// <summary>By the address itself, as BIRD does, and not by the kernel's ifa_scope.</summary>
    private static string Scope(Address address) =>
        address.IsLoopback ? "host"
        : address.IsLinkLocal || LinkLocalIPv4.Contains(address) ? "link"
        : Sites.Any(site => site.Contains(address)) ? "site"
        : "univ";
}
