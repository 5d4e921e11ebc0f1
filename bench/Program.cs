// make bench. Short jobs in this very process: minutes for all of them, good enough to see a factor; not for the last per cent.
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

if (args is ["nat"])
{
    await Calico.Bgp.Bench.NatFigures.RunAsync();
    return;
}
if (args is ["scale"])
{
    await Calico.Bgp.Bench.ScaleFigures.RunAsync();
    return;
}
if (args is ["scale", var services])
{
    await Calico.Bgp.Bench.ScaleFigures.RunAsync(int.Parse(services, System.Globalization.CultureInfo.InvariantCulture));
    return;
}
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly)
    .Run(args, DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(new InProcessEmitToolchain(TimeSpan.FromMinutes(30), logOutput: true))));
