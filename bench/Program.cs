// make bench. Short jobs in this very process: minutes for all of them, good enough to see a factor; not for the last per cent.
using System.Runtime.Versioning;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Calico.Bgp.Bench;

[assembly: SupportedOSPlatform("linux")]

var job = Job.ShortRun.WithToolchain(new InProcessEmitToolchain(TimeSpan.FromMinutes(30), logOutput: true));
var columns = new IColumn[] { new TableOctets.Column(), new ClaimColumn() };
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, DefaultConfig.Instance.AddColumn(columns).AddJob(job));
