using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Reading;

/// <summary>BGPFilter: four lists of rules.</summary>
internal static class BgpFilterReader
{
    private const int HighestPriority = int.MaxValue - 1;

    private static readonly string[] OperationNames = ["addCommunity", "prependASPath", "setPriority"];

    public static BgpFilter Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var filter = new BgpFilter(metadata)
        {
            ExportV4 = spec["exportV4"].List(rule => Rule(rule, IpFamily.IPv4)),
            ImportV4 = spec["importV4"].List(rule => Rule(rule, IpFamily.IPv4)),
            ExportV6 = spec["exportV6"].List(rule => Rule(rule, IpFamily.IPv6)),
            ImportV6 = spec["importV6"].List(rule => Rule(rule, IpFamily.IPv6)),
        };
        spec.WarnOfOthers();
        return filter;
    }

    private static BgpFilterRule Rule(Field field, IpFamily family)
    {
        var rule = field.Section();
        rule["action"].Require("Accept or Reject");
        var length = rule["prefixLength"].Section();
        var read = new BgpFilterRule(rule["action"].Choice<FilterAction>() ?? FilterAction.Reject)
        {
            Cidr = rule["cidr"].MaskedCidr(family),
            MatchOperator = rule["matchOperator"].Choice<FilterMatchOperator>(),
            HasPrefixLength = !rule["prefixLength"].IsAbsent,
            PrefixLengthMin = length["min"].Number(0, family.Bits()),
            PrefixLengthMax = length["max"].Number(0, family.Bits()),
            Source = rule["source"].Choice<FilterSource>(),
            Interface = Interface(rule["interface"]),
            PeerType = rule["peerType"].Choice<FilterPeerType>(),
            Community = Community(rule["communities"]),
            AsPathPrefix = rule["asPathPrefix"].Values(asn => asn.Asn()),
            Priority = rule["priority"].Number(1, HighestPriority),
            Operations = rule["operations"].List(Operation, 10),
        };
        length.WarnOfOthers();
        rule.WarnOfOthers();
        CheckTogether(read, rule);
        return read;
    }

    private static void CheckTogether(BgpFilterRule read, Fields rule)
    {
        if (rule["cidr"].IsAbsent != rule["matchOperator"].IsAbsent)
            rule.Error(rule["cidr"].IsAbsent ? "matchOperator" : "cidr", "cidr and matchOperator must both be set, or neither");
        if (read.HasPrefixLength && rule["cidr"].IsAbsent) rule.Error("prefixLength", "needs cidr");
        if (!rule["operations"].IsAbsent && !rule["operations"].Items().Any()) rule.Error("operations", "expected 1 to 10, got none");
        if (read.Operations.Count > 0 && read.Action != FilterAction.Accept) rule.Error("operations", "need the action Accept");
    }

    private static string? Interface(Field field)
    {
        var pattern = field.Word();
        if (pattern == null || BgpConfigurationReader.InterfacePattern().IsMatch(pattern)) return pattern;
        field.Error($"expected an interface's name of at most 15 characters, with * for any, got \"{pattern}\"");
        return null;
    }

    private static CommunityValue? Community(Field field)
    {
        if (field.IsAbsent) return null;
        var match = field.Section();
        var values = match["values"].Values(value => value.Community());
        match.WarnOfOthers();
        if (values.Count == 1) return values[0];
        if (match["values"].Items().Count() != 1) match.Error("values", "expected exactly one community");
        return null;
    }

    private static BgpFilterOperation? Operation(Field field)
    {
        var operation = field.Section();
        BgpFilterOperation?[] said =
        [
            Add(operation["addCommunity"]), Prepend(operation["prependASPath"]), Priority(operation["setPriority"]),
        ];
        operation.WarnOfOthers();
        var named = OperationNames.Count(name => !operation[name].IsAbsent);
        if (named != 1) field.Error("expected exactly one of addCommunity, prependASPath and setPriority");
        return said.FirstOrDefault(one => one != null);
    }

    private static BgpFilterOperation.AddCommunity? Add(Field field)
    {
        if (field.IsAbsent) return null;
        var add = field.Section();
        add["value"].Require("a community");
        var value = add["value"].Community();
        add.WarnOfOthers();
        return value == null ? null : new(value.Value);
    }

    private static BgpFilterOperation.PrependAsPath? Prepend(Field field)
    {
        if (field.IsAbsent) return null;
        var prepend = field.Section();
        var prefix = prepend["prefix"].Values(asn => asn.Asn(), 10);
        if (!prepend["prefix"].Items().Any()) prepend.Error("prefix", "expected 1 to 10 AS numbers, got none");
        prepend.WarnOfOthers();
        return new(prefix);
    }

    private static BgpFilterOperation.SetPriority? Priority(Field field)
    {
        if (field.IsAbsent) return null;
        var set = field.Section();
        set["value"].Require("a number");
        var value = set["value"].Number(1, HighestPriority);
        set.WarnOfOthers();
        return value == null ? null : new(value.Value);
    }
}
