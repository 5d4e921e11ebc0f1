using Calico.Bgp.Speaker;

namespace Calico.Bgp.Configuration;

/// <summary><c>kernel</c>: what goes into the kernel's tables, and under which mark we know it again.</summary>
internal sealed class KernelReader(Section root, NamedFilters filters)
{
    private const uint LocalTable = 255;

    /// <summary>
    /// rtm_protocol 0 to 4 are the kernel's own, the operator's (static, boot) and redirects; what bears our number is swept, so ours must
    /// be another.
    /// </summary>
    private static readonly Reading<long> Protocol = new(
        "a protocol number from 5 to 255, or bird,", text => text == "bird" ? 12 : Scalars.Number(5, 255).Parse(text));

    public static readonly Reading<long> Table = new(
        "main, default or a table's number from 1 to 4294967295, not 255 (local),", ParseTable);

    public KernelConfig Read()
    {
        if (root.Child("kernel") is not { } kernel) return new();
        var config = new KernelConfig();
        config = config with
        {
            InstallRoutes = kernel.Flag("installRoutes", config.InstallRoutes),
            Table = (uint)(kernel.Value("table", Table) ?? config.Table),
            Protocol = (byte)(kernel.Value("protocol", Protocol) ?? config.Protocol),
            Metric = (uint)(kernel.Number("metric", 0, uint.MaxValue) ?? config.Metric),
            Learn = kernel.Flag("learn", config.Learn),
            SweepAfter = kernel.Duration("sweepAfter", TimeSpan.Zero, TimeSpan.FromHours(24)) ?? config.SweepAfter,
            Export = filters.Named(kernel, "export"),
        };
        kernel.Close();
        return config;
    }

    private static long? ParseTable(string text) => text switch
    {
        "main" => 254,
        "default" => 253,
        _ => Scalars.Number(1, uint.MaxValue).Parse(text) is { } table and not LocalTable ? table : null,
    };
}
