// Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): straight into the response's pipe, so a scrape
// of a thousand peers builds no text of its own. All samples of a metric stand together below its HELP and TYPE.

using System.Buffers;
using System.Globalization;
using System.Text;

namespace Calico.Bgp.Control.Http;

internal readonly struct PrometheusText(IBufferWriter<byte> into)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="type">gauge, counter or histogram.</param>
    public void Head(string name, string type, string help)
    {
        Text("# HELP ");
        Text(name);
        Text(" ");
        Text(help);
        Text("\n# TYPE ");
        Text(name);
        Text(" ");
        Text(type);
        Text("\n");
    }

    public void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        Text(name);
        for (var at = 0; at < labels.Length; at++) Label(at == 0 ? "{" : ",", labels[at].Name, labels[at].Value);
        Text(labels.IsEmpty ? " " : "} ");
        Number(value);
        Text("\n");
    }

    private void Label(string before, string name, string value)
    {
        Text(before);
        Text(name);
        Text("=\"");
        Text(Escaped(value));
        Text("\"");
    }

    private static string Escaped(string value) => value.AsSpan().ContainsAny('\\', '"', '\n')
        ? value.Replace(@"\", @"\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", @"\n", StringComparison.Ordinal)
        : value;

    private void Number(double value)
    {
        var room = into.GetSpan(32);
        int length;
        // Whole numbers as such: "1e+06" is legal, but nobody greps for it.
        var whole = value == Math.Floor(value) && Math.Abs(value) < 1L << 53;
        if (whole) ((long)value).TryFormat(room, out length, default, CultureInfo.InvariantCulture);
        else value.TryFormat(room, out length, default, CultureInfo.InvariantCulture);
        into.Advance(length);
    }

    private void Text(string text) =>
        into.Advance(Encoding.UTF8.GetBytes(text, into.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length))));
}
