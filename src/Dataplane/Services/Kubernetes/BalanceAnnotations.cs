using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>What Calico VPP's annotations of a Service say of its balancing (calico-vpp-agent's ParseServiceAnnotations).</summary>
/// <param name="Problems">What of it is not done, and why.</param>
internal sealed record BalanceAnnotations(TranslationBalance Balance, FlowHash Hash, ListOf<string> Problems)
{
    public static readonly BalanceAnnotations None = new(TranslationBalance.Hash, FlowHash.Default, []);

    private const string Prefix = "cni.projectcalico.org/vpp";
    private const string Kind = Prefix + "LBType", Fields = Prefix + "HashConfig", Keep = Prefix + "KeepOriginalPacket";

    public static BalanceAnnotations Of(Service service)
    {
        if (service.Annotations.Count == 0) return None;
        var problems = new List<string>();
        var balance = service.Annotations.TryGetValue(Kind, out var kind) ? BalanceOf(kind, problems) : TranslationBalance.Hash;
        var hash = service.Annotations.TryGetValue(Fields, out var fields) ? HashOf(fields, problems) : FlowHash.Default;
        if (balance == TranslationBalance.Maglev && hash.HasFlag(FlowHash.Symmetric))
        {
            problems.Add($"{Fields}: expected no symmetric beside maglev: each node has another such hash; it is left out");
            hash = FlowHash.Default;
        }
        if (service.Annotations.TryGetValue(Keep, out var keep) && keep.Equals("true", StringComparison.OrdinalIgnoreCase))
            problems.Add($"{Keep}: packets are translated all the same: the kernel sends none on as they are");
        return balance == None.Balance && hash == None.Hash && problems.Count == 0 ? None : new(balance, hash, [.. problems]);
    }

    private static TranslationBalance BalanceOf(string text, List<string> problems)
    {
        switch (text.ToLowerInvariant())
        {
            case "ecmp": return TranslationBalance.Hash;
            case "maglev": return TranslationBalance.Maglev;
            case "maglevdsr":
                problems.Add($"{Kind}: answers of maglevdsr come back through this node, as those of maglev do");
                return TranslationBalance.Maglev;
            default:
                problems.Add($"{Kind}: expected ecmp, maglev or maglevdsr, got \"{text}\": it is ecmp");
                return TranslationBalance.Hash;
        }
    }

    private static FlowHash HashOf(string text, List<string> problems)
    {
        var hash = FlowHash.None;
        foreach (var field in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            if (FieldOf(field.ToLowerInvariant()) is { } known) hash |= known;
            else problems.Add($"{Fields}: expected srcport, dstport, srcaddr, dstaddr, iproto, reverse or symmetric, got \"{field}\"");
        // The kernel's symmetric hash takes addresses, protocol and ports.
        return hash.HasFlag(FlowHash.Symmetric) ? FlowHash.Symmetric : TranslationWords.WithFields(hash);
    }

    private static FlowHash? FieldOf(string word) => word switch
    {
        "srcport" => FlowHash.SourcePort,
        "dstport" => FlowHash.DestinationPort,
        "srcaddr" => FlowHash.Source,
        "dstaddr" => FlowHash.Destination,
        "iproto" => FlowHash.Protocol,
        "reverse" => FlowHash.Reverse,
        "symmetric" => FlowHash.Symmetric,
        _ => null,
    };
}
