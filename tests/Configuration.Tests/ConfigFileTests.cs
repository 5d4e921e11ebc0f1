using FsCheck.Xunit;

namespace Calico.Bgp.Configuration.Tests;

/// <summary>Files as they lie on a disk: examples, keys, junk.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ConfigFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("bgpd-config").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Root
    {
        get
        {
            var at = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(at.FullName, "Calico.Bgp.sln"))) at = at.Parent!;
            return at.FullName;
        }
    }

    private static List<string> Examples =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Root, "examples"), "bgpd.yaml", SearchOption.AllDirectories).Order(),
        Path.Combine(Root, "bgpd.yaml"),
    ];

    private ConfigResult WithKey(string password, byte[]? key, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        if (key != null)
        {
            File.WriteAllBytes(Path.Combine(folder, "tor.key"), key);
            File.SetUnixFileMode(Path.Combine(folder, "tor.key"), mode);
        }
        var file = Path.Combine(folder, "bgpd.yaml");
        File.WriteAllText(file, $"peers: [{{ peerIP: 192.0.2.1, asNumber: 1, password: {password} }}]");
        return DaemonConfig.Load(file, HostFacts.None);
    }

    [Fact]
    public void A_key_file_lies_beside_the_configuration_and_loses_its_line_end()
    {
        var result = WithKey("{ file: tor.key }", "s3cret\n"u8.ToArray());
        Assert.Empty(result.Errors.Concat(result.Warnings));
        Assert.Equal("s3cret", result.Config!.Speaker.Peers[0].Session.Password);
    }

    [Fact]
    public void A_key_file_that_everybody_may_read_is_a_warning()
    {
        var result = WithKey("{ file: tor.key }", "s3cret"u8.ToArray(), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.NotNull(result.Config);
        Assert.Contains("is open to every user of this machine", Assert.Single(result.Warnings).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_key_file_is_an_error_at_its_name()
    {
        var error = Assert.Single(WithKey("{ file: none.key }", null).Errors);
        Assert.Equal((1, 61), (error.Line, error.Column));
        Assert.StartsWith("expected a readable file for peers[0].password.file, got /", error.Text, StringComparison.Ordinal);
        Assert.EndsWith("/none.key: No such file or directory", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_longer_than_TCP_takes_is_an_error() =>
        Assert.StartsWith("expected a key of 1 to 80 octets", Assert.Single(WithKey("{ file: tor.key }", new byte[5000]).Errors).Text,
            StringComparison.Ordinal);

    [Fact]
    public void Relative_paths_start_at_the_file()
    {
        var file = Path.Combine(folder, "bgpd.yaml");
        File.WriteAllText(file, "control: { socket: a.ctl, http: ['unix:b.sock', '127.0.0.1:9179', '[::1]:80'] }");
        var control = DaemonConfig.Load(file, HostFacts.None).Config!.Control;
        Assert.Equal([Path.Combine(folder, "a.ctl"), $"unix:{Path.Combine(folder, "b.sock")}", "127.0.0.1:9179", "[::1]:80"],
            control.Http.Select(http => http.ToString()).Prepend(control.Socket));
    }

    [Fact]
    public void Every_example_loads_without_a_complaint() =>
        Assert.Empty(Examples
            .Select(file => DaemonConfig.Load(file, HostFacts.None))
            .SelectMany(result => result.Errors.Concat(result.Warnings)));

    [Fact]
    public void What_a_configuration_would_do_is_told_in_lines()
    {
        var lines = DaemonConfig.Load(
            Path.Combine(Root, "examples", "01-two-peers", "bgpd.yaml"), HostFacts.None).Config!.Describe().ToList();
        Assert.Contains("peer upstream: 198.51.100.1 AS 64496 (external), ipv4 and ipv6, import ACCEPT, export ACCEPT", lines);
        Assert.Contains("route 203.0.113.0/24 blackhole", lines);
    }

    private static readonly string[] Texts = [.. Examples.Select(File.ReadAllText)];

    [Property(MaxTest = 2000, EndSize = 10_000_000)]
    public void No_text_makes_the_reading_throw(int seed)
    {
        var random = new Random(seed);
        var result = DaemonConfig.Parse(
            Mutated(Texts[random.Next(Texts.Length)], random), Path.Combine(folder, "x.yaml"), HostFacts.None);
        Assert.True(result.Config == null != result.Errors.IsEmpty);
        foreach (var line in result.Config?.Describe() ?? []) Assert.NotEqual("", line);
    }

    private static string Mutated(string text, Random random)
    {
        const string signs = "{}[]:,-&*!|>'\"#%@`?~ \n\t0aé\0";
        var mutated = new System.Text.StringBuilder(text);
        for (var n = random.Next(1, 8); n > 0 && mutated.Length > 2; n--)
        {
            var at = random.Next(mutated.Length - 1);
            var length = Math.Min(random.Next(1, 40), mutated.Length - at);
            var piece = mutated.ToString(at, length);
            switch (random.Next(5))
            {
                case 0: mutated.Remove(at, length); break;
                case 1: mutated.Insert(random.Next(mutated.Length), piece); break;
                case 2: mutated[at] = signs[random.Next(signs.Length)]; break;
                case 3: mutated.Insert(at, signs[random.Next(signs.Length)]); break;
                default: mutated.Insert(at, random.Next()); break;
            }
        }
        return mutated.ToString();
    }
}
