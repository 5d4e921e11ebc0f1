using Calico.Bgp.Machine;

namespace Calico.Bgp.TestMachine;

/// <summary>
/// What a test needs of the machine, as words of <see cref="NeedsFactAttribute"/> and <see cref="NeedsTheoryAttribute"/>: one of these
/// constants, or else a program's name. What is not there is the reason why the test is skipped, instead of passing or failing.
/// </summary>
public static class Needs
{
    /// <summary>To make network namespaces: root, iproute2, and a kernel and a container that allow it.</summary>
    public const string Namespaces = "namespaces";

    /// <summary>Our daemon as make build leaves it, to run it in namespaces.</summary>
    public const string Daemon = "out/bgpd";

    /// <summary>Our command line as make build leaves it.</summary>
    public const string Bgpctl = "out/bgpctl";

    /// <summary>systemd's resolver.</summary>
    public const string Resolved = "systemd-resolved";

    /// <summary>Before a path: that file or folder of the data beside the project.</summary>
    public const string Shared = "shared/";

    /// <summary>A real Kubernetes API server of the tests' own, as the scripts in the data beside the project build it.</summary>
    public const string KubeApi = "kubeapi";

    /// <summary>A Kubernetes cluster: the one that is named, else the same server.</summary>
    public const string Cluster = "cluster";

    /// <summary>Before a name: to be asked for, by that variable of the environment being 1.</summary>
    public const string Asked = "asked ";

    /// <summary>Before a kind of link (<c>vxlan</c>): a kernel that can make one.</summary>
    public const string Link = "link ";

    /// <summary>The kubeconfig of a cluster that is the tests' to edit; null: none was named.</summary>
    public static string? NamedCluster =>
        Environment.GetEnvironmentVariable("KUBECONFIG_FOR_TESTS") is { Length: > 0 } named ? named : null;

    private static readonly Lazy<string?> NoNamespaces = new(WhyNoNamespaces);

    /// <summary>The first of these that is not there, with what can be done about it; null: all are.</summary>
    public static string? Missing(params ReadOnlySpan<string> needs)
    {
        foreach (var need in needs)
            if (WhyNot(need) is { } reason) return reason;
        return null;
    }

    private static string? WhyNot(string need) => need switch
    {
        Namespaces => NoNamespaces.Value,
        Daemon => NoNamespaces.Value ?? (Project.Subject == "bgpd" ? NotBuilt(Project.Daemon) : null),
        Bgpctl => NotBuilt(Project.Bgpctl),
        Resolved => Project.Resolved == null ? $"needs {Resolved}, which is neither installed nor unpacked (make peers)" : null,
        Cluster => NamedCluster == null ? WhyNot(KubeApi) : NoNamespaces.Value ?? WhyNot("kubectl"),
        KubeApi => NoNamespaces.Value ?? SharedData.Missing("kubeapi/run.sh") ?? NoKubeApi(),
        _ when need.StartsWith(Shared, StringComparison.Ordinal) => SharedData.Missing(need[Shared.Length..]),
        _ when need.StartsWith(Asked, StringComparison.Ordinal) => NotAsked(need[Asked.Length..]),
        _ when need.StartsWith(Link, StringComparison.Ordinal) => NoNamespaces.Value ?? NoLink(need[Link.Length..]),
        _ => Shell.Find(need) == null ? $"needs {need}, which is not installed (make peers)" : null,
    };

    private static string? NotBuilt(string file) =>
        File.Exists(file) ? null : $"needs {Path.GetRelativePath(Project.Root, file)}: make build";

    /// <summary>The first build takes minutes, which no test's clock allows.</summary>
    private static string? NoKubeApi()
    {
        var cache = Environment.GetEnvironmentVariable("KUBEAPI_CACHE") is { Length: > 0 } named ? named : "/var/cache/kubeapi";
        return File.Exists(Path.Combine(cache, "bin", "kubeapi")) ? null : "needs a real API server: shared/kubeapi/build.sh builds it "
            + "(or, where a cluster is enough, KUBECONFIG_FOR_TESTS names one)";
    }

    private static string? NotAsked(string variable) =>
        Environment.GetEnvironmentVariable(variable) == "1" ? null : $"runs when it is asked for: {variable}=1";

    private static string? WhyNoNamespaces()
    {
        if (!OperatingSystem.IsLinux()) return "needs Linux, for network namespaces";
        if (!Environment.IsPrivilegedProcess) return "needs root, for network namespaces";
        if (Shell.Find("ip") == null) return "needs ip, which is not installed (make peers)";
        try
        {
            using var probe = Netns.Make("probe");
            return null;
        }
        catch (MachineException problem)
        {
            return $"needs network namespaces, which cannot be made here: {problem.Message}";
        }
    }

    private static string? NoLink(string kind)
    {
        using var probe = Netns.Make("probe");
        try
        {
            probe.Ip($"link add probe type {kind}{(kind == "vxlan" ? " id 1 dstport 4789" : "")}");
            return null;
        }
        catch (MachineException problem)
        {
            return $"needs a kernel with links of kind {kind}: {problem.Message}";
        }
    }
}
