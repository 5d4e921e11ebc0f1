using System.Diagnostics.Metrics;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

/// <summary>Everything that this room counts; messages and octets of each session are in <see cref="SessionSnapshot.Counters"/>.</summary>
internal static class SessionMeters
{
    private static readonly Meter Meter = new("Calico.Bgp.Session");
    private static readonly Counter<long> Ups = Meter.CreateCounter<long>("bgp.session.established", description: "Sessions that came up");
    private static readonly Counter<long> Downs = Meter.CreateCounter<long>("bgp.session.lost", description: "Established sessions that ended");
    private static readonly Counter<long> Notifications = Meter.CreateCounter<long>("bgp.session.notifications", description: "NOTIFICATIONs by direction and code");
    private static readonly Counter<long> Damages = Meter.CreateCounter<long>("bgp.session.damaged_updates", description: "UPDATEs with damage, by penalty (RFC 7606)");
    private static readonly Counter<long> Strangers = Meter.CreateCounter<long>("bgp.listener.strangers", description: "Connections from addresses that are no peer's");

    public static void Up() => Ups.Add(1);
    public static void Lost() => Downs.Add(1);
    public static void Stranger() => Strangers.Add(1);
    public static void Damaged(Penalty penalty) => Damages.Add(1, new KeyValuePair<string, object?>("penalty", Word(penalty)));

    private static string Word(Penalty penalty) => penalty switch
    {
        Penalty.AttributeDiscard => "attribute-discard",
        Penalty.TreatAsWithdraw => "treat-as-withdraw",
        _ => "session-reset",
    };

    public static void Notified(FaultKind kind, Notification notification) => Notifications.Add(1,
        new("direction", kind == FaultKind.Received ? "in" : "out"), new("code", (int)notification.Code), new("subcode", (int)notification.Subcode));
}
