using System.Diagnostics;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Bench;

/// <summary>A node that enforces policies, or does what else it is told: the kernel's side and the dataplane, in the namespace of this
/// process.</summary>
internal sealed class PolicyNode : IAsyncDisposable
{
    private const string Name = "node0", InForce = "in force";

    public Loops Loops { get; } =
        new(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Environment.FailFast(loop.Name, defect));
    private readonly KernelLoop kernel;
    private readonly ConnectionTable connections = new();

    public static DataplaneSettings Policies => new(Name, Policy: new() { Enabled = true });

    /// <param name="settings">Null: policies alone.</param>
    public PolicyNode(DataplaneSettings? settings = null)
    {
        kernel = new(new(), Loops, TimeProvider.System, NullLogger<KernelLoop>.Instance);
        Nftables = new(DataplaneLoop.Table, Loops, TimeProvider.System, NullLogger<NftablesLoop>.Instance);
        Dataplane = new(settings ?? Policies, Nftables, kernel, connections, Loops, TimeProvider.System,
            NullLogger<DataplaneLoop>.Instance, routing: new(kernel, kernel));
    }

    public NftablesLoop Nftables { get; }
    public DataplaneLoop Dataplane { get; }

    public async Task StartAsync()
    {
        await kernel.StartAsync(CancellationToken.None);
        Nftables.Start();
        Dataplane.Start();
    }

    /// <summary>To the kernel's acknowledgement.</summary>
    /// <returns>Milliseconds.</returns>
    public async Task<double> ApplyAsync(params ResourceChange[] changes)
    {
        var began = Stopwatch.GetTimestamp();
        await Dataplane.ApplyAsync([.. changes]);
        await Dataplane.SettledAsync();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <inheritdoc cref="ApplyAsync"/>
    public async Task<double> ConfigureAsync(DataplaneSettings settings)
    {
        var began = Stopwatch.GetTimestamp();
        await Dataplane.ConfigureAsync(settings);
        await Dataplane.SettledAsync();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    public static ResourceChange Change(Resource? before, Resource? after) =>
        new((before ?? after)!.Kind, (before ?? after)!.Key, before, after);

    /// <summary>Puts objects into force, says so, and holds them until the input of this process ends.</summary>
    public async Task HoldAsync(IEnumerable<Resource> objects)
    {
        await StartAsync();
        await ApplyAsync([.. objects.Select(one => Change(null, one))]);
        Console.WriteLine(InForce);
        await Console.In.ReadToEndAsync();
    }

    /// <summary>Starts this program anew, in a namespace and with words by which it calls <see cref="HoldAsync"/>.</summary>
    public static async Task<Process> HoldElsewhereAsync(Netns node, params string[] words)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, words) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var holder = node.Inside(() => Process.Start(start)!);
        if (await holder.StandardOutput.ReadLineAsync() != InForce) throw new InvalidOperationException("nothing is in force");
        return holder;
    }

    /// <summary>A pod of the node's.</summary>
    /// <param name="name">Its label <c>app</c>, too.</param>
    public static Pod PodAt(string name, string address) => new(new Metadata(name, "default")
    {
        Labels = Labels.From([new("projectcalico.org/namespace", "default"), new("app", name)]),
    })
    {
        Node = Name,
        Nets = [Prefix.Parse(address + "/32")],
        Profiles = ["kns.default"],
    };

    /// <summary>The pod's namespace becomes the node's neighbour, as Calico's CNI plugin has it.</summary>
    public static async Task JoinAsync(Netns node, string pod, Netns space, string address)
    {
        var link = PodAt(pod, address).InterfaceName("cali");
        await Netns.JoinAsync(node, link, [], space, "eth0", [address + "/32"]);
        node.Tell($"link set {link} address ee:ee:ee:ee:ee:ee\nroute add {address}/32 dev {link}\n", "ip", "-batch", "-");
        space.Tell("route add 169.254.1.1 dev eth0\nroute add default via 169.254.1.1\n"
            + "neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0\n", "ip", "-batch", "-");
    }

    public async ValueTask DisposeAsync()
    {
        await Dataplane.DisposeAsync();
        await Nftables.DisposeAsync();
        await kernel.DisposeAsync();
        connections.Dispose();
    }
}
