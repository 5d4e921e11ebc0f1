// make bench ARGS=WORD: compiled as the daemon is. Not microbenchmarks: each takes one long look at the real thing, most of them as root,
// in network namespaces of their own.
using System.Diagnostics;
using System.Runtime.Versioning;
using Calico.Bgp.Bench;

[assembly: SupportedOSPlatform("linux")]

if (args is ["nat"])
{
    // It writes to the kernel's tables: to those of a namespace of its own, in which a process of its own is born.
    using var space = Netns.Make("bench");
    using var figures = space.Inside(() => Process.Start(Environment.ProcessPath!, ["nat", "inside"]));
    await figures.WaitForExitAsync();
    return;
}
if (args is ["nat", "inside"])
{
    await NatFigures.RunAsync();
    return;
}
if (args is ["parts"])
{
    await PartsFigures.RunAsync();
    return;
}
if (args is ["policy"])
{
    await PolicyFigures.RunAsync();
    return;
}
if (args is ["policy", "changes"])
{
    await PolicyFigures.RunChangesAsync();
    return;
}
if (args is ["policy", "packets"])
{
    await PolicyFigures.RunPacketsAsync();
    return;
}
if (args is ["policy", "inside", var part])
{
    await PolicyFigures.InsideAsync(Figures.Number(part));
    return;
}
if (args is ["policy", "packets", var policies])
{
    await PolicyFigures.HoldAsync(Figures.Number(policies));
    return;
}
if (args is ["services"])
{
    await ServiceFigures.RunAsync();
    return;
}
if (args is ["services", var some, var perService] && char.IsAsciiDigit(some[0]))
{
    await ServiceFigures.RunAsync(Figures.Number(some), Figures.Number(perService));
    return;
}
if (args is ["services", "packets"])
{
    await ServicePackets.RunAsync();
    return;
}
if (args is ["services", "inside", var manyServices, var each])
{
    await ServiceFigures.InsideAsync(Figures.Number(manyServices), Figures.Number(each));
    return;
}
if (args is ["services", "packets", var heldServices])
{
    await ServicePackets.HoldAsync(Figures.Number(heldServices));
    return;
}
if (args is ["dns"])
{
    await DnsFigures.RunAsync();
    return;
}
if (args is ["dns", var mode])
{
    await DnsFigures.InsideAsync(mode);
    return;
}
if (args is ["egress"])
{
    await EgressFigures.RunAsync();
    return;
}
if (args is ["egress", "inside", var role])
{
    await EgressFigures.InsideAsync(role);
    return;
}
if (args is ["egress", "packets", var way])
{
    await EgressFigures.HoldAsync(way);
    return;
}
if (args is ["policy-table"])
{
    await PolicyTableFigures.RunAsync();
    return;
}
if (args is ["members"])
{
    MemberFigures.Run();
    return;
}
if (args is ["scale"])
{
    await ScaleFigures.RunAsync();
    return;
}
if (args is ["scale", var services])
{
    await ScaleFigures.RunAsync(Figures.Number(services));
    return;
}
if (args is ["cluster", .. var size])
{
    using var space = Netns.Make("bench");
    using var figures = space.Inside(() => Process.Start(Environment.ProcessPath!, ["cluster-inside", .. size]));
    await figures.WaitForExitAsync();
    return;
}
if (args is ["cluster-inside", .. var asked])
{
    await ClusterFigures.RunAsync(asked is [var many] ? Figures.Number(many) : 10_000);
    return;
}
await Console.Error.WriteLineAsync(
    $"expected nat, parts, policy, services, dns, egress, policy-table, members, scale or cluster, got '{string.Join(' ', args)}'");
Environment.ExitCode = 2;
