using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Calico.Bgp.Bench;

/// <summary>What a benchmark is to hold; printed beside what it measured, and checked by whoever reads.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClaimAttribute(string claim) : Attribute
{
    public string Claim => claim;
}

/// <summary>Octets of the tables that a benchmark filled, for each route: they lie outside the heap, so Allocated does not show
/// them.</summary>
internal static class TableOctets
{
    private static readonly Dictionary<string, double> PerRoute = [];

    public static void Say(string benchmark, long octets, int routes) => PerRoute[benchmark] = (double)octets / routes;

    public sealed class Column : IColumn
    {
        public string Id => "B/route";
        public string ColumnName => "B/route";
        public string Legend => "Octets of tables for each route, outside the garbage-collected heap";
        public string GetValue(Summary summary, BenchmarkCase benchmark) =>
            PerRoute.TryGetValue(benchmark.Descriptor.WorkloadMethod.Name, out var octets) ? $"{octets:0.0}" : "-";
        public string GetValue(Summary summary, BenchmarkCase benchmark, SummaryStyle style) => GetValue(summary, benchmark);
        public bool IsDefault(Summary summary, BenchmarkCase benchmark) => false;
        public bool IsAvailable(Summary summary) => true;
        public bool AlwaysShow => true;
        public bool IsNumeric => true;
        public int PriorityInCategory => 1;
        public ColumnCategory Category => ColumnCategory.Custom;
        public UnitType UnitType => UnitType.Dimensionless;
    }
}

internal sealed class ClaimColumn : IColumn
{
    public string Id => "Claim";
    public string ColumnName => "Claim";
    public string Legend => "What it is to hold";
    public string GetValue(Summary summary, BenchmarkCase benchmark) =>
        benchmark.Descriptor.WorkloadMethod.GetCustomAttributes(false).OfType<ClaimAttribute>().FirstOrDefault()?.Claim ?? "-";
    public string GetValue(Summary summary, BenchmarkCase benchmark, SummaryStyle style) => GetValue(summary, benchmark);
    public bool IsDefault(Summary summary, BenchmarkCase benchmark) => false;
    public bool IsAvailable(Summary summary) => true;
    public bool AlwaysShow => true;
    public bool IsNumeric => false;
    public int PriorityInCategory => 2;
    public ColumnCategory Category => ColumnCategory.Custom;
    public UnitType UnitType => UnitType.Dimensionless;
}
