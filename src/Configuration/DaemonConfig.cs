using System.Collections.Immutable;
using System.Text;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Documents;
using Calico.Bgp.Sources.Etcd;
using Calico.Bgp.Sources.Kubernetes;
using Calico.Bgp.Sources.Yaml;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Configuration;

/// <summary>
/// bgpd.yaml, read. The keys are camelCase, named as Calico's resources name the same thing; src/Configuration has one file per
/// section of the file. What is wrong is told with file, line and column, all of it at once; what is known but not acted on yet is a
/// warning, so that nobody believes in a NAT that is not there.
/// </summary>
public sealed record DaemonConfig
{
    private const int LargestFile = 16 << 20;
    private static readonly YamlLimits Limits = new(Depth: 32, Size: 2_000_000);

    public required SpeakerConfig Speaker { get; init; }
    public ControlConfig Control { get; init; } = ControlConfig.Default;
    public LogConfig Log { get; init; } = new();
    /// <summary>Null: the file does not speak of NAT.</summary>
    public NatSettings? Nat { get; init; }
    /// <summary>Null: the file does not speak of policy.</summary>
    public PolicySettings? Policy { get; init; }
    /// <summary>Null: the file does not speak of services.</summary>
    public ServiceSettings? Services { get; init; }
    /// <summary>Null: the file does not speak of egress.</summary>
    public EgressSettings? Egress { get; init; }
    /// <summary>What it says of packets.</summary>
    public DataplaneSettings Dataplane =>
        new(Speaker.HostName, Nat, Policy, Services, Egress) { KubernetesNode = Plan.KubernetesNode };
    public ImmutableArray<SourceConfig> Sources { get; init; } = [];
    /// <summary>Who makes something of what <see cref="Sources"/> have: kinds that concern nobody else are not read.</summary>
    public Concern Wanted => Concern.Plan | Concern.Nat | Concern.Report | (Policy != null ? Concern.Policy : 0)
        | (Egress != null ? Concern.Egress : 0) | (Services is { Kubernetes: true, HostPorts: true } ? Concern.Services : 0);
    /// <summary>How the resources of <see cref="Sources"/> are read.</summary>
    public required PlanSettings Plan { get; init; }
    /// <summary>Felix's folder of pods that want to peer.</summary>
    public required string EndpointStatus { get; init; }

    /// <summary>Reads the file; never throws for what may be wrong with it.</summary>
    public static ConfigResult Load(string path, HostFacts host)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return ReadAll(file) is { } text
                ? Parse(text, path, host) : ConfigResult.Failed(path, $"expected at most {LargestFile >> 20} MiB");
        }
        catch (DecoderFallbackException) { return ConfigResult.Failed(path, "expected text in UTF-8, got other octets"); }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return ConfigResult.Failed(
                path, Directory.Exists(path) ? "expected a file, got a folder" : $"cannot be read: {Failures.WordsOf(wrong)}");
        }
    }

    /// <param name="fileName">For messages; relative paths inside the text start in its folder.</param>
    public static ConfigResult Parse(string text, string fileName, HostFacts host)
    {
        var problems = new Problems(fileName);
        var root = Tree(text, problems);
        var config = root != null && Section.Of(root, "", problems) is { } section
            ? new DaemonReader(section, fileName, host).Read() : null;
        return new(problems.HasErrors ? null : config, problems.Errors, problems.Warnings);
    }

    private static DocumentNode? Tree(string text, Problems problems)
    {
        var root = YamlTree.Read(text, 1, Limits, out var mistake);
        if (mistake != null) problems.Error(mistake.Line, mistake.Column, mistake.Text);
        else if (root == null) problems.Error(1, 1, "expected keys such as router and peers, got an empty file");
        return root;
    }

    /// <summary>Null where there is more than we take: a device or a mistaken name must not fill the memory.</summary>
    private static string? ReadAll(FileStream file)
    {
        var octets = new byte[64 << 10];
        using var all = new MemoryStream();
        for (int count; (count = file.Read(octets)) > 0;)
        {
            all.Write(octets, 0, count);
            if (all.Length > LargestFile) return null;
        }
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        return utf8.GetString(all.GetBuffer(), 0, (int)all.Length).TrimStart('\ufeff');
    }

    /// <summary>What this configuration would do, a line for each thing: the answer of <c>--check</c>.</summary>
    public IEnumerable<string> Describe() => ConfigDescription.Lines(this);
}

/// <summary>A file read: a configuration where there are no errors, and what is to be said about it either way.</summary>
public sealed record ConfigResult(DaemonConfig? Config, ImmutableArray<ConfigProblem> Errors, ImmutableArray<ConfigProblem> Warnings)
{
    public static ConfigResult Failed(string file, string text) => new(null, [new(file, 0, 0, text)], []);
}

/// <param name="Socket">birdc's; null: none.</param>
public sealed record ControlConfig(string? Socket, ImmutableArray<HttpEndpoint> Http, ImmutableArray<BirdSocketConfig> BirdSockets)
{
    /// <summary>Names, beside localhost and the node's, that HTTP may be asked under on a port.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>Who may announce routes (told to the speaker).</summary>
    public ImmutableArray<Speaker.ProducerQuota> Producers { get; init; } = [];

    /// <summary>Where the file has no section <c>control</c>; a section means what it says and no more.</summary>
    public static readonly ControlConfig Default = new("/run/bgpd/bgpd.ctl", [new("/run/bgpd/bgpd.sock", null)], []);
}

/// <summary>A Unix socket (<paramref name="Path"/>) or a TCP endpoint.</summary>
public sealed record HttpEndpoint(string? Path, System.Net.IPEndPoint? Tcp)
{
    public override string ToString() => Path != null ? $"unix:{Path}" : Tcp!.ToString();
}

public enum BirdDialect : byte { Bird2, Calico }

public sealed record BirdSocketConfig(string Path, BirdDialect Dialect, Net.IpFamily? Family);

public enum LogFormat : byte { Text, Json }

public sealed record LogConfig(LogLevel Level = LogLevel.Information, LogFormat Format = LogFormat.Text);

/// <summary>Where Calico and Kubernetes objects come from.</summary>
public abstract record SourceConfig;

public sealed record FileSource(string Folder, FolderRules Rules) : SourceConfig;

public sealed record KubernetesSource(KubernetesSettings Settings) : SourceConfig;

public sealed record EtcdSource(EtcdSettings Settings) : SourceConfig;
