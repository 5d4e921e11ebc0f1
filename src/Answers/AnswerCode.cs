// The kinds of errors, and the status of HTTP that goes with each (RFC 9110 section 15): the one place where either is decided.

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

[JsonConverter(typeof(AnswerCodeWords))]
public enum AnswerCode : byte
{
    /// <summary>A newer bgpd's, which this release has no name for.</summary>
    Other,
    /// <summary>A key of the query is not known, or its value makes no sense.</summary>
    BadQuery,
    /// <summary>Orders are taken by the Unix socket alone.</summary>
    OrderOnPort,
    /// <summary>A port is asked under a name that is not ours.</summary>
    ForeignHost,
    /// <summary>A port is asked by a page that is not ours.</summary>
    ForeignOrigin,
    /// <summary>This bgpd does not answer there: it may be of another release.</summary>
    UnknownPath,
    UnknownPeer,
    /// <summary>Neither a peer nor another source of routes (static1, kernel1, …).</summary>
    UnknownProtocol,
    UnknownOrder,
    UnknownService,
    /// <summary>The peer is drained: an order of another kind has to wait for <c>undrain</c>.</summary>
    PeerDrained,
    /// <summary>A file is being tried already.</summary>
    TrialPending,
    /// <summary>Nothing is being tried.</summary>
    NoTrial,
    /// <summary>The file is not put into force, and nothing of it.</summary>
    TrialRefused,
    /// <summary>The body is no JSON, or what it says makes no sense.</summary>
    BadBody,
    /// <summary>A producer's quota bars the route (<c>control.producers</c>).</summary>
    OverQuota,
    /// <summary>That producer does not announce that route.</summary>
    UnknownRoute,
    /// <summary>bgpd.yaml names no sources of objects.</summary>
    NoSources,
    /// <summary>bgpd.yaml has no section nat.</summary>
    NatOff,
    /// <summary>bgpd.yaml has no section services, or <c>services.enabled</c> is false.</summary>
    ServicesOff,
    /// <summary>The command line has added no translation of this id.</summary>
    UnknownTranslation,
    /// <summary>The kernel has no such session, or none of ours.</summary>
    UnknownSession,
    /// <summary>Source NAT neither excludes nor rewrites it.</summary>
    UnknownPrefix,
    /// <summary>The translation would take what the node is reached by, and nobody has said that this is meant.</summary>
    TakesNode,
    /// <summary>The kernel does not do what was asked for.</summary>
    KernelRefused,
    /// <summary>It is in force, or gone, but the file that outlives the daemon is as it was.</summary>
    NotSaved,
    /// <summary>bgpd.yaml has no section egress, or it is off.</summary>
    EgressOff,
    /// <summary>No policy is enforced (<c>policy.enabled</c>).</summary>
    PolicyOff,
    UnknownPolicy,
    /// <summary>No endpoint of this node is called so.</summary>
    UnknownEndpoint,
    WrongMethod,
    /// <summary>bgpd.yaml is not taken, and nothing has changed.</summary>
    ConfigurationRefused,
    /// <summary>No other process has taken over: this one goes on.</summary>
    NotUpgraded,
    /// <summary>As many are being answered as may be: it may be asked again in a moment.</summary>
    Busy,
    /// <summary>The daemon has begun, and waits for its sources.</summary>
    Starting,
    /// <summary>A mistake in bgpd, whose log says more.</summary>
    Defect,
}

public static class AnswerCodes
{
    /// <summary>The status that an error of this kind is answered with.</summary>
    public static int Status(this AnswerCode code) => code switch
    {
        AnswerCode.BadQuery or AnswerCode.BadBody => 400,
        AnswerCode.OrderOnPort or AnswerCode.OverQuota or AnswerCode.ForeignOrigin => 403,
        AnswerCode.UnknownPath or AnswerCode.UnknownPeer or AnswerCode.UnknownProtocol or AnswerCode.UnknownOrder
            or AnswerCode.UnknownService or AnswerCode.UnknownRoute or AnswerCode.NoSources or AnswerCode.NatOff or AnswerCode.PolicyOff
            or AnswerCode.UnknownPolicy or AnswerCode.UnknownEndpoint or AnswerCode.NoTrial or AnswerCode.ServicesOff
            or AnswerCode.EgressOff
            or AnswerCode.UnknownTranslation or AnswerCode.UnknownSession or AnswerCode.UnknownPrefix => 404,
        AnswerCode.WrongMethod => 405,
        AnswerCode.PeerDrained or AnswerCode.TrialPending or AnswerCode.NotUpgraded or AnswerCode.KernelRefused
            or AnswerCode.NotSaved or AnswerCode.TakesNode => 409,
        AnswerCode.ForeignHost => 421,
        AnswerCode.ConfigurationRefused or AnswerCode.TrialRefused => 422,
        AnswerCode.Busy or AnswerCode.Starting => 503,
        _ => 500,
    };
}

/// <summary>camelCase; a word that is not known is <see cref="AnswerCode.Other"/>, so that the message beside it is still shown.</summary>
internal sealed class AnswerCodeWords : JsonConverter<AnswerCode>
{
    private static readonly Dictionary<string, AnswerCode> Codes = Enum.GetValues<AnswerCode>().ToDictionary(Word);

    public override AnswerCode Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Codes.GetValueOrDefault(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, AnswerCode value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Word(value));

    private static string Word(AnswerCode code) => JsonNamingPolicy.CamelCase.ConvertName(code.ToString());
}
