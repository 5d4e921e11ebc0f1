using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>GET /v1/cnat/translations</c>.</summary>
/// <param name="Problems">Why Kubernetes' services are not translated as they ask to be.</param>
/// <param name="NotInForce">Why nothing is translated, though bgpd.yaml may ask for it; absent where nothing is in the way.</param>
public sealed record TranslationsAnswer(
    bool Enabled, IReadOnlyList<TranslationAnswer> Translations, IReadOnlyList<string> Problems,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? NotInForce = null);

/// <param name="Source">Whose it is: bgpd.yaml, cli or kubernetes.</param>
/// <param name="InForce">False: another source has one with the same address, protocol and port, and comes before.</param>
/// <param name="Problem">Why nothing is translated by it; null: something is.</param>
/// <param name="Saved">The command line has added it, and it is back when the daemon starts again.</param>
/// <param name="SecondsLeft">Its Service is gone, and it stays so long, as its address was announced; absent of all others.</param>
/// <param name="Digest">Of Maglev's table, the same on every node with the same backends; absent where another way chooses.</param>
/// <param name="Others">Services, and pods, that ask for the same address, protocol and port, and are not reached by it; absent where none
/// do.</param>
/// <param name="Warnings">What of it may be otherwise than was meant, though it is in force; absent where nothing is.</param>
public sealed record TranslationAnswer(
    int Id, string Source, string? Name, bool InForce, string? Problem, TranslationBody Translation, bool Saved = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? SecondsLeft = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Digest = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Others = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Warnings = null)
{
    /// <summary>The backends that pods of this node and it itself get in the place of the others (externalTrafficPolicy: Local); absent
    /// where they get the same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<BackendBody>? Inside { get; init; }
}

/// <summary>A translation, as <c>POST /v1/cnat/translations</c> takes it: bgpd.yaml's keys and words.</summary>
/// <param name="Port">0: all.</param>
/// <param name="Vip">An address, or <c>INTERFACE[ v6]</c>; either this or <paramref name="Real"/>.</param>
/// <param name="Balance">hash or maglev; null: hash.</param>
/// <param name="FlowHash">Null: cnat's.</param>
/// <param name="Affinity">Seconds that a client keeps its backend; null: each connection is chosen for by itself.</param>
/// <param name="Timeouts">Absent: as the kernel has them.</param>
public sealed record TranslationBody(
    string Protocol, ushort Port, IReadOnlyList<BackendBody> Backends, string? Vip = null, string? Real = null, string? Balance = null,
    IReadOnlyList<string>? FlowHash = null, double? Affinity = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] TimeoutsBody? Timeouts = null);

/// <summary>Seconds that connections live that say nothing.</summary>
/// <param name="Tcp">Established ones over TCP; null: as the kernel has it, as the other.</param>
/// <param name="Other">Over UDP; and over TCP until it is established.</param>
public sealed record TimeoutsBody(double? Tcp = null, double? Other = null);

/// <param name="To"><c>ADDRESS[:PORT]</c>.</param>
/// <param name="From">Likewise; null: the client's own.</param>
/// <param name="Weight">Null: 1.</param>
public sealed record BackendBody(string To, string? From = null, int? Weight = null);

/// <summary>What the command line has said and outlives the daemon, as its own file has it.</summary>
public sealed record SavedTranslationsBody(
    int Version, IReadOnlyList<TranslationBody> Translations, IReadOnlyList<SourceNatEditBody> Snat);

/// <summary><c>POST /v1/cnat/translations</c>: it is in force, or known to wait.</summary>
/// <param name="SavedIn">The file; null: it lives until the daemon ends.</param>
/// <param name="InForce">False: another source has one with the same address, protocol and port, and comes before.</param>
/// <param name="Problem">Why nothing is translated by it all the same; null: something is.</param>
/// <param name="Warnings">As the translation's.</param>
public sealed record TranslationAddedAnswer(
    int Id, string? SavedIn = null, bool InForce = true, string? Problem = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Warnings = null);

/// <summary><c>DELETE /v1/cnat/translations</c>: these are gone.</summary>
/// <param name="SavedIn">The file that had some of them; null: none of them was saved.</param>
public sealed record TranslationsRemovedAnswer(IReadOnlyList<int> Ids, string? SavedIn = null);

/// <summary><c>bgpctl cnat purge</c>: what the daemon has answered to each of its orders.</summary>
public sealed record CnatPurgedAnswer(CnatEndedAnswer Sessions, TranslationsRemovedAnswer Translations, CnatSourceNatAnswer Snat);

/// <summary><c>GET /v1/cnat/sessions</c>: connections that translations have made.</summary>
/// <param name="Count">How many there are of those that were asked for; <paramref name="Sessions"/> has as many as were wanted.</param>
public sealed record CnatSessionsAnswer(long Count, IReadOnlyList<CnatSessionAnswer> Sessions);

/// <summary>From the client, to the service; and behind the translation to the backend, as if from another.</summary>
/// <param name="Id">The kernel's, by which one is ended.</param>
/// <param name="Translation">The id of the one that made it; null: it is gone, or source NAT alone did.</param>
/// <param name="Source"><c>ADDRESS[:PORT]</c>, as all four.</param>
/// <param name="As">The client, as the backend sees it.</param>
/// <param name="State">Of TCP, in the kernel's word; else answered or unanswered.</param>
/// <param name="Left">Seconds until it is forgotten, if it says nothing more.</param>
/// <param name="Since">Null: the kernel does not note it (net.netfilter.nf_conntrack_timestamp).</param>
/// <param name="Asked">From the client; null: the kernel does not count (net.netfilter.nf_conntrack_acct).</param>
/// <param name="Answered">From the backend; null: likewise.</param>
/// <param name="Gone">The translation that made it is gone, and it lives on (onBackendRemoval: keep, or drain).</param>
public sealed record CnatSessionAnswer(
    uint Id, int? Translation, string Protocol, string Source, string Destination, string Backend, string As, string State, double Left,
    DateTimeOffset? Since, CnatCountAnswer? Asked, CnatCountAnswer? Answered,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Gone = false);

public sealed record CnatCountAnswer(ulong Packets, ulong Octets);

/// <summary><c>DELETE /v1/cnat/sessions</c>.</summary>
/// <param name="Count">How many were ended.</param>
public sealed record CnatEndedAnswer(long Count);

/// <summary><c>GET /v1/cnat/explain</c>: what becomes of a connection by its first packet.</summary>
/// <param name="Translation">Which one takes it; null: none does.</param>
/// <param name="Verdict">passes, dropped, or depends: then <paramref name="Ways"/> says on what.</param>
/// <param name="Backend"><c>ADDRESS[:PORT]</c>; null: it is not translated, or that depends.</param>
/// <param name="As">Whom the other side sees; null: it does not pass, that depends, or the kernel chooses among several
/// addresses.</param>
/// <param name="SourceTranslated">Without a port in <paramref name="As"/> the kernel takes a free one.</param>
/// <param name="Interface">That it leaves by; null: it does not leave, or nobody knows.</param>
/// <param name="Rule">The one that decided, in nft's words; null: it met none, or that depends.</param>
/// <param name="Session">The kernel has the connection already: its packets go by this, and not by the rules.</param>
/// <param name="Trail">Every rule that it meets.</param>
/// <param name="Rejected">It is dropped, and its source is told so by ICMP; left out where it is not.</param>
/// <param name="TakenIn">The interface that it was taken to come in by, because its source is reached by it; left out where somebody has
/// said one, or this node sends it.</param>
/// <param name="NoRoute">Where it goes, and no route leads; left out where one does.</param>
public sealed record CnatExplanationAnswer(
    TranslationAnswer? Translation, string Verdict, string? Backend, string? As, bool SourceTranslated, string? Interface, string? Rule,
    IReadOnlyList<CnatWayAnswer> Ways, CnatSessionAnswer? Session, IReadOnlyList<string> Trail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Rejected = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TakenIn = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? NoRoute = null);

/// <summary>What becomes of it where that is so which nobody has said.</summary>
/// <param name="Verdict">passes, dropped, or depends: it cannot be told any further.</param>
/// <param name="Rejected">It is dropped, and its source is told so by ICMP; left out where it is not.</param>
public sealed record CnatWayAnswer(
    IReadOnlyList<string> DependsOn, string Verdict, string? Backend, string? As, bool SourceTranslated, string? Rule,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Rejected = false);

/// <summary><c>GET /v1/cnat/clients</c>: an address that translations are at.</summary>
/// <param name="Id">That of its first translation.</param>
/// <param name="Address">Or <c>INTERFACE[ v6]</c>.</param>
/// <param name="Kind">vip, of which what no translation takes is dropped; or real.</param>
/// <param name="Translations">By their ids.</param>
/// <param name="Sessions">How many they have made.</param>
public sealed record CnatClientAnswer(int Id, string Address, string Kind, IReadOnlyList<int> Translations, long Sessions);

/// <summary><c>bgpctl cnat test maglev</c>.</summary>
/// <param name="Least">Places of the backend that has the fewest.</param>
/// <param name="Most">Of the one that has the most.</param>
/// <param name="Moved">Of the places of the backends that stay, the share that another gets when one goes, 0 to 1.</param>
/// <param name="MostMoved">At worst.</param>
/// <param name="Digest">Of the table.</param>
public sealed record CnatMaglevAnswer(
    int Tests, int Backends, int Length, int Least, int Most, double Moved, double MostMoved, string Digest);

/// <summary><c>GET /v1/cnat/snat</c>: source NAT as it is in force, by bgpd.yaml and the command line together.</summary>
/// <param name="Policy">none, if-pfx, k8s or dnat.</param>
/// <param name="Addresses">An address, a prefix, or <c>INTERFACE[ v6]</c>; of each family one.</param>
/// <param name="Exclude">Destinations that see the old source.</param>
/// <param name="Rewrite"><c>PREFIX to PREFIX</c>.</param>
/// <param name="Said">What of it the command line has said.</param>
/// <param name="SavedIn">The file that an order has just written; null: it has written none.</param>
/// <param name="Ended">Connections that an order has just ended; null: it was to end none.</param>
/// <param name="NatOutgoing">IPPools whose packets get another source where no rule of these has given one; absent where nat is
/// off.</param>
public sealed record CnatSourceNatAnswer(
    string Policy, IReadOnlyList<string> Addresses, IReadOnlyList<string> Exclude, IReadOnlyList<string> Include, IReadOnlyList<string> Pod,
    IReadOnlyList<string> Host, IReadOnlyList<string> Rewrite, IReadOnlyList<SourceNatEditBody> Said, string? SavedIn = null,
    long? Ended = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<CnatPoolAnswer>? NatOutgoing = null)
{
    /// <summary>What of it does nothing beside the rest; absent where all does something.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Idle { get; init; }
}

/// <param name="Applies">masquerade, upstream NAT, or upstream NAT only.</param>
public sealed record CnatPoolAnswer(string Name, string Cidr, string Applies);

/// <summary><c>POST /v1/cnat/snat</c>: one thing of it.</summary>
/// <param name="What">policy, address, exclude, include, pod, host or rewrite.</param>
/// <param name="Value">In bgpd.yaml's words.</param>
/// <param name="To">Of rewrite: the other prefix, as long.</param>
/// <param name="Remove">It is not so any more; of address: the family has none.</param>
/// <param name="Cut">Of exclude: connections that go there with a source of ours end. An order's alone: it is not kept.</param>
public sealed record SourceNatEditBody(string What, string Value, string? To = null, bool Remove = false, bool Cut = false);
