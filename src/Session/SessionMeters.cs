using System.Diagnostics.Metrics;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

/// <summary>Everything that this room counts; messages and octets of each session are in <see cref="SessionSnapshot.Counters"/>.</summary>
internal static class SessionMeters
{
    private static readonly Meter Meter = new("Calico.Bgp.Session");
    private static readonly Counter<long> Ups = Counter("bgp.session.established", "Sessions that came up");
    private static readonly Counter<long> Downs = Counter("bgp.session.lost", "Established sessions that ended");
    private static readonly Counter<long> Notifications = Counter("bgp.session.notifications", "NOTIFICATIONs by direction and code");
    private static readonly Counter<long> Damages = Counter("bgp.session.damaged_updates", "UPDATEs with damage, by penalty (RFC 7606)");
    private static readonly Counter<long> Strangers = Counter("bgp.listener.strangers", "Connections from addresses that are no peer's");

    private static Counter<long> Counter(string name, string about) => Meter.CreateCounter<long>(name, description: about);

    public static void Up() => Ups.Add(1);
    public static void Lost() => Downs.Add(1);
    public static void Stranger() => Strangers.Add(1);
    public static void Damaged(Penalty penalty) =>
        Damages.Add(1, new KeyValuePair<string, object?>("penalty", Word(penalty)));

    private static string Word(Penalty penalty) => penalty switch
    {
        Penalty.AttributeDiscard => "attribute-discard",
        Penalty.TreatAsWithdraw => "treat-as-withdraw",
        _ => "session-reset",
    };

    public static void Notified(FaultKind kind, Notification notification) => Notifications.Add(
        1,
        new("direction", kind == FaultKind.Received ? "in" : "out"),
        new("code", (int)notification.Code),
        new("subcode", (int)notification.Subcode));
}
