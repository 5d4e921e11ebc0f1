namespace Calico.Bgp.Resources.Reading;

/// <summary>IPAM's own objects: BlockAffinity and IPAMBlock.</summary>
internal static class IpamReader
{
    private static readonly string[] Unread = ["affinityClaimTime", "unallocated", "sequenceNumber", "sequenceNumberForAllocation"];

    private static readonly Dictionary<string, AffinityState> States = new(StringComparer.Ordinal)
    {
        ["pending"] = AffinityState.Pending,
        ["confirmed"] = AffinityState.Confirmed,
        ["pendingDeletion"] = AffinityState.PendingDeletion,
    };

    public static BlockAffinity ReadAffinity(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        spec["node"].Require("a node's name");
        spec["cidr"].Require("a network");
        var affinity = new BlockAffinity(metadata)
        {
            State = State(spec["state"]),
            Node = spec["node"].Word() ?? "",
            Type = Type(spec["type"]),
            Cidr = spec["cidr"].Network() ?? default,
            Deleted = spec["deleted"].LooseFlag() ?? false,
        };
        spec.WarnOfOthers();
        return affinity;
    }

    private static AffinityState State(Field field)
    {
        if (field.Word() is not { } word) return AffinityState.None;
        if (States.TryGetValue(word, out var state)) return state;
        field.Error($"expected {string.Join(", ", States.Keys)} or nothing, got \"{word}\"");
        return AffinityState.None;
    }

    private static AffinityType Type(Field field)
    {
        var word = field.Word();
        if (word is not (null or "host" or "virtual")) field.Error($"expected host or virtual, got \"{word}\"");
        return word == "virtual" ? AffinityType.Virtual : AffinityType.Host;
    }

    public static IpamBlock ReadBlock(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        spec["cidr"].Require("a network");
        var block = new IpamBlock(metadata)
        {
            Cidr = spec["cidr"].Network() ?? default,
            Affinity = Owner(spec["affinity"]),
            Allocations = [.. spec["allocations"].Items().Select(item => item.Number(0, int.MaxValue))],
            Attributes = spec["attributes"].List(Attributes),
            StrictAffinity = spec["strictAffinity"].Flag() ?? false,
            Deleted = spec["deleted"].LooseFlag() ?? false,
        };
        foreach (var known in Unread) _ = spec[known];
        spec.WarnOfOthers();
        return block;
    }

    private static IpamOwner? Owner(Field field)
    {
        if (field.Word() is not { } text) return null;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 && text[..colon] is "host" or "virtual")
            return new(text[0] == 'h' ? AffinityType.Host : AffinityType.Virtual, text[(colon + 1)..]);
        field.Error($"expected host: or virtual: and a name, got \"{text}\"");
        return null;
    }

    private static IpamAttributes Attributes(Field field)
    {
        var attributes = field.Section();
        return new(attributes["handle_id"].Word(), attributes["secondary"].Labels())
        {
            Alternate = attributes["alternateOwnerAttrs"].Labels(),
        };
    }
}
