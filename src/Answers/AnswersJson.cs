// The vocabulary of answers: what bgpd sends by HTTP, what bgpctl reads, and what either prints for programs. One record per noun,
// addresses and prefixes as text, null for what is absent, camelCase. Both commands are built from these files, so that a field cannot be
// sent under one name and read under another; where they are of different releases, Release tells them so.

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary>How the answers are written and read. A field that an older bgpd lacks is an error, one that a newer adds is not.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(LiveAnswer))]
[JsonSerializable(typeof(ReadyAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(IReadOnlyList<PeerAnswer>))]
[JsonSerializable(typeof(IReadOnlyList<BfdAnswer>))]
[JsonSerializable(typeof(RouteAnswer))]
[JsonSerializable(typeof(KernelAnswer))]
[JsonSerializable(typeof(OwnRouteAnswer))]
[JsonSerializable(typeof(NatAnswer))]
[JsonSerializable(typeof(NatExplanationAnswer))]
[JsonSerializable(typeof(TranslationsAnswer))]
[JsonSerializable(typeof(TranslationBody))]
[JsonSerializable(typeof(TranslationAddedAnswer))]
[JsonSerializable(typeof(SavedTranslationsBody))]
[JsonSerializable(typeof(TranslationsRemovedAnswer))]
[JsonSerializable(typeof(CnatSessionsAnswer))]
[JsonSerializable(typeof(CnatEndedAnswer))]
[JsonSerializable(typeof(CnatPurgedAnswer))]
[JsonSerializable(typeof(CnatExplanationAnswer))]
[JsonSerializable(typeof(IReadOnlyList<CnatClientAnswer>))]
[JsonSerializable(typeof(CnatMaglevAnswer))]
[JsonSerializable(typeof(CnatSourceNatAnswer))]
[JsonSerializable(typeof(SourceNatEditBody))]
[JsonSerializable(typeof(EgressAnswer))]
[JsonSerializable(typeof(EgressExplanationAnswer))]
[JsonSerializable(typeof(PolicyExplanationAnswer))]
[JsonSerializable(typeof(PolicyLintAnswer))]
[JsonSerializable(typeof(TrialAnswer))]
[JsonSerializable(typeof(PolicyListAnswer))]
[JsonSerializable(typeof(PolicyDetailsAnswer))]
[JsonSerializable(typeof(IReadOnlyList<PolicyEndpointAnswer>))]
[JsonSerializable(typeof(DeniedAnswer))]
[JsonSerializable(typeof(DnsCacheAnswer))]
[JsonSerializable(typeof(IReadOnlyList<DeniedFlowAnswer>))]
[JsonSerializable(typeof(IReadOnlyList<DnsLookupAnswer>))]
[JsonSerializable(typeof(ReloadAnswer))]
[JsonSerializable(typeof(OrderAnswer))]
[JsonSerializable(typeof(DrainedAnswer))]
[JsonSerializable(typeof(UpgradeAnswer))]
[JsonSerializable(typeof(LeaseBody))]
[JsonSerializable(typeof(LeaseAnswer))]
[JsonSerializable(typeof(RouteExplanationAnswer))]
[JsonSerializable(typeof(PeerExplanationAnswer))]
[JsonSerializable(typeof(ServiceExplanationAnswer))]
[JsonSerializable(typeof(PlanAnswer))]
[JsonSerializable(typeof(ProbesAnswer))]
public sealed partial class AnswersJson : JsonSerializerContext
{
    /// <summary>For programs and terminals, never inside a web page: quotes and accents stay legible.</summary>
    public static AnswersJson Legible => Made.Legible;

    /// <summary>For what others send: a key that is not known is an error.</summary>
    public static AnswersJson Strict => Made.Strict;

    /// <summary>In what order two files of one class are initialized is not said, so it is one of its own.</summary>
    private static class Made
    {
        public static readonly AnswersJson Legible =
            new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

        public static readonly AnswersJson Strict = new(new JsonSerializerOptions(Default.Options)
        {
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
        });
    }
}
