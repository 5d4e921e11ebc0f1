using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Wire;

/// <summary>
/// What damage in an UPDATE costs, mildest first (RFC 7606 section 2). The worst one in a message decides.
/// </summary>
public enum Penalty : byte
{
    None,
    /// <summary>The attribute is dropped, the routes stay ("attribute discard").</summary>
    AttributeDiscard,
    /// <summary>All routes of the message count as withdrawn ("treat-as-withdraw").</summary>
    TreatAsWithdraw,
    /// <summary>A NOTIFICATION is sent and the session ends ("session reset").</summary>
    SessionReset,
}

/// <summary>The worst that was wrong with an UPDATE, for the log and the counters.</summary>
/// <param name="Expected">What the RFC asks for and what came, in one sentence.</param>
public readonly record struct Damage(Penalty Penalty, AttributeType Attribute, string Expected);

/// <summary>Error codes of NOTIFICATION (RFC 4271 section 4.5, RFC 7313, RFC 9687).</summary>
public enum ErrorCode : byte
{
    MessageHeader = 1,
    OpenMessage = 2,
    UpdateMessage = 3,
    HoldTimerExpired = 4,
    FiniteStateMachine = 5,
    Cease = 6,
    RouteRefresh = 7,
    SendHoldTimerExpired = 8,
}

/// <summary>Subcodes of Cease (RFC 4486, RFC 8538, RFC 9384).</summary>
public enum CeaseSubcode : byte
{
    MaximumNumberOfPrefixesReached = 1,
    AdministrativeShutdown = 2,
    PeerDeconfigured = 3,
    AdministrativeReset = 4,
    ConnectionRejected = 5,
    OtherConfigurationChange = 6,
    ConnectionCollisionResolution = 7,
    OutOfResources = 8,
    HardReset = 9,
    BfdDown = 10,
}
