using System.Text;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// What a rule tells with a packet that it logs: <c>deny to default end of tier</c>, <c>log - default NetworkPolicy shop/web ingress rule
/// 3</c>. Chains of policies are shared by endpoints of all kinds, so that these do not know whose program asks.
/// </summary>
/// <param name="Program">Null: the rule does not know.</param>
/// <param name="Comment">A <see cref="PolicyComment"/> or one of its words.</param>
internal sealed record LogPrefix(bool IsDenied, ProgramKind? Program, string Comment)
{
    private const string Denied = "deny", Logged = "log", NoProgram = "-";

    /// <summary>Of one rule's packets no more are told than so many: the rest of a flood costs the host no more than its drop.</summary>
    private const uint MostPerSecond = 100, MostAtOnce = 100;

    /// <summary>NF_LOG_PREFIXLEN, less the end.</summary>
    private const int MostOctets = 127;

    private static readonly Dictionary<string, ProgramKind> Programs =
        Enum.GetValues<ProgramKind>().ToDictionary(Policies.Programs.Word, StringComparer.Ordinal);

    private static string Begin(bool isDenied, ProgramKind? program) =>
        $"{(isDenied ? Denied : Logged)} {(program is { } kind ? Policies.Programs.Word(kind) : NoProgram)} ";

    public static int RoomFor(ProgramKind? program) => MostOctets - Encoding.UTF8.GetByteCount(Begin(true, program));

    /// <summary>The statements that a rule ends with.</summary>
    public NftStatement[] Tell => [new MatchRate(MostPerSecond, MostAtOnce), new ActLog(PolicyFacts.LogGroup, ToString())];

    public override string ToString() => Begin(IsDenied, Program) + Comment;

    /// <summary>Null: it is no prefix of ours.</summary>
    public static LogPrefix? Parse(string prefix) => prefix.Split(' ', 3) is not [Denied or Logged, var program, var comment] ? null
        : program == NoProgram ? new(prefix.StartsWith(Denied, StringComparison.Ordinal), null, comment)
        : Programs.TryGetValue(program, out var kind) ? new(prefix.StartsWith(Denied, StringComparison.Ordinal), kind, comment) : null;
}
