// The process, under the names that every Prometheus client library uses, and its garbage collector, whose pauses sessions feel.

using System.Diagnostics;
using System.Globalization;

namespace Calico.Bgp.Control.Http;

internal static class ProcessMetrics
{
    public static void Write(PrometheusText text)
    {
        using var process = Process.GetCurrentProcess();
        var started = (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        var pauses = GC.GetTotalPauseDuration().TotalSeconds;
        var committed = GC.GetGCMemoryInfo().TotalCommittedBytes;
        OwnMetrics.One(text, "process_start_time_seconds", "gauge", "When the process started", started);
        OwnMetrics.One(text, "process_cpu_seconds_total", "counter", "Processor time used", process.TotalProcessorTime.TotalSeconds);
        OwnMetrics.One(text, "process_resident_memory_bytes", "gauge", "Resident memory", process.WorkingSet64);
        OwnMetrics.One(text, "calico_bgp_gc_heap_bytes", "gauge", "Managed heap in use", GC.GetTotalMemory(forceFullCollection: false));
        OwnMetrics.One(text, "calico_bgp_gc_committed_bytes", "gauge", "Memory that the managed heap holds", committed);
        OwnMetrics.One(text, "calico_bgp_gc_pause_seconds_total", "counter", "Time that collections stopped the process", pauses);
        text.Head("calico_bgp_gc_collections_total", "counter", "Collections by generation");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            var name = generation.ToString(CultureInfo.InvariantCulture);
            text.Sample("calico_bgp_gc_collections_total", GC.CollectionCount(generation), ("generation", name));
        }
    }
}
