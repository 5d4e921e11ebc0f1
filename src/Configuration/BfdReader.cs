using Calico.Bgp.Bfd;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Configuration;

/// <summary><c>bfd: true</c>, or <c>bfd: { interval: 50ms, multiplier: 3 }</c>, beside whatever is to be watched.</summary>
internal static class BfdReader
{
    /// <summary>Null: it is not watched.</summary>
    public static BfdTimes? Read(Section beside)
    {
        if (!beside.TryGet("bfd", out var value)) return null;
        if (value is not MappingNode) return beside.Flag("bfd", otherwise: false) ? BfdTimes.Default : null;
        var said = beside.Child("bfd")!;
        var interval = said.Duration("interval", BfdTimes.Least, BfdTimes.Most) ?? BfdTimes.Default.Send;
        var multiplier = (int)(said.Number("multiplier", 1, BfdTimes.MostMissed) ?? BfdTimes.Default.Multiplier);
        said.Close();
        return new(interval, interval, multiplier);
    }
}
