using System.Diagnostics;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>The real client of Debian's package bird2 against our socket.</summary>
public sealed class BirdcTests
{
    private static FakeSpeaker Speaker()
    {
        var speaker = new FakeSpeaker();
        speaker.ProtocolList.Add(new("static1", ProtocolKind.Static, true, true, FakeSpeaker.At(9, 0, 1), null, null, [], null, false));
        speaker.RouteList.Add(FakeSpeaker.Route("192.0.2.0/24", RouteOrigin.Static, "static1", Kernel.RouteType.Blackhole));
        return speaker;
    }

    private static (string Output, int Exit) Birdc(string path, params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/sbin/birdc", ["-s", path, .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (output, process.ExitCode);
    }

    [RequiresBirdcFact]
    public async Task Show_status_prints_as_with_bird()
    {
        await using var fixture = new SocketFixture(Speaker());
        Assert.Equal((
            "BIRD 2.0.12 ready.\nBIRD 2.0.12\nRouter ID is 10.99.0.1\nHostname is node-a\n" +
            "Current server time is 2026-11-21 10:00:00.139\nLast reboot on 2026-11-21 09:00:00.139\n" +
            "Last reconfiguration on 2026-11-21 09:30:00.139\nDaemon is up and running\n", 0), Birdc(fixture.Path, "show", "status"));
    }

    [RequiresBirdcFact]
    public async Task Abbreviated_words_are_completed_by_the_client()
    {
        await using var fixture = new SocketFixture(Speaker());
        Assert.Equal((
            "BIRD 2.0.12 ready.\n" +
            "Name       Proto      Table      State  Since         Info\n" +
            "static1    Static     ---        up     09:00:01.139  \n", 0), Birdc(fixture.Path, "sh", "pro"));
    }

    [RequiresBirdcFact]
    public async Task Routes_are_shown()
    {
        await using var fixture = new SocketFixture(Speaker());
        Assert.Equal((
            "BIRD 2.0.12 ready.\nTable master4:\n192.0.2.0/24         blackhole [static1 09:00:01.139] * (200)\n", 0),
            Birdc(fixture.Path, "show", "route"));
    }

    [RequiresBirdcFact]
    public async Task A_failure_is_the_clients_exit_code()
    {
        await using var fixture = new SocketFixture(Speaker());
        Assert.Equal(("BIRD 2.0.12 ready.\nNetwork not found\n", 1), Birdc(fixture.Path, "show", "route", "9.9.9.0/24"));
    }

    [RequiresBirdcFact]
    public async Task A_restricted_client_may_look_but_not_touch()
    {
        await using var fixture = new SocketFixture(Speaker());
        var (output, exit) = Birdc(fixture.Path, "-r", "disable", "static1");
        Assert.Equal(("BIRD 2.0.12 ready.\nAccess restricted\nAccess denied\n", 1), (output, exit));
    }
}
