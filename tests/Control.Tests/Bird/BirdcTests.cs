using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>The real client of Debian's package bird2 against our socket.</summary>
public sealed class BirdcTests
{
    private static FakeSpeaker Speaker()
    {
        var speaker = new FakeSpeaker();
        speaker.ProtocolList.Add(new("static1", ProtocolKind.Static, true, true, FakeSpeaker.At(9, 0, 1)));
        speaker.RouteList.Add(FakeSpeaker.Route("192.0.2.0/24", RouteOrigin.Static, "static1", Kernel.RouteType.Blackhole));
        return speaker;
    }

    private static async Task<(string Output, int Exit)> BirdcAsync(string path, params string[] arguments)
    {
        var answer = await Shell.RunAsync(Shell.Find("birdc")!, ["-s", path, .. arguments]);
        return (answer.Output, answer.Code);
    }

    [NeedsFact("birdc")]
    public async Task Show_status_prints_as_with_bird()
    {
        await using var fixture = new SocketFixture(Speaker());
        Assert.Equal((
            "BIRD 2.0.12 ready.\nBIRD 2.0.12\nRouter ID is 10.99.0.1\nHostname is node-a\n" +
            "Current server time is 2026-11-21 10:00:00.139\nLast reboot on 2026-11-21 09:00:00.139\n" +
            "Last reconfiguration on 2026-11-21 09:30:00.139\nDaemon is up and running\n", 0),
            await BirdcAsync(fixture.Path, "show", "status"));
    }

    [NeedsFact("birdc")]
    public async Task Abbreviated_words_are_completed_by_the_client()
    {
        await using var fixture = new SocketFixture(Speaker());
        Assert.Equal((
            "BIRD 2.0.12 ready.\n" +
            "Name       Proto      Table      State  Since         Info\n" +
            "static1    Static     ---        up     09:00:01.139  \n", 0), await BirdcAsync(fixture.Path, "sh", "pro"));
    }

    [NeedsFact("birdc")]
    public async Task Routes_are_shown()
    {
        await using var fixture = new SocketFixture(Speaker());
        Assert.Equal((
            "BIRD 2.0.12 ready.\nTable master4:\n192.0.2.0/24         blackhole [static1 09:00:01.139] * (200)\n", 0),
            await BirdcAsync(fixture.Path, "show", "route"));
    }

    [NeedsFact("birdc")]
    public async Task A_failure_is_the_clients_exit_code()
    {
        await using var fixture = new SocketFixture(Speaker());
        Assert.Equal(("BIRD 2.0.12 ready.\nNetwork not found\n", 1), await BirdcAsync(fixture.Path, "show", "route", "9.9.9.0/24"));
    }

    [NeedsFact("birdc")]
    public async Task A_restricted_client_may_look_but_not_touch()
    {
        await using var fixture = new SocketFixture(Speaker());
        var (output, exit) = await BirdcAsync(fixture.Path, "-r", "disable", "static1");
        Assert.Equal(("BIRD 2.0.12 ready.\nAccess restricted\nAccess denied\n", 1), (output, exit));
    }
}
