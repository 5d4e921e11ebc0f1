using System.IO.Compression;
using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Fuzz;

/// <summary>What fuzzing starts from: the shared messages where they are, and always a few of our own.</summary>
public static class Corpus
{
    public const string Messages = "data/wire/messages.tsv.gz";

    private const string Marker = "ffffffffffffffffffffffffffffffff";

    private static readonly string[] Own =
    [
        Marker + "00330104fdea005a0a630002160214010400010001010400020001020041040000fdea",
        Marker + "00370104fdea005a0a630002ffff0017020014010400010001010400020001020041040000fdea",
        Marker + "002f02000000144001010040020602010000fdea4003040a63000218c61200",
        Marker + "0043020000002c4001010040020602010000fdea800e1c00020110fd990000000000000000000000000002003020010db80083",
        Marker + "0022020000000b800f080002014020010db8",
        Marker + "001f03060209627965206279652e",
        Marker + "00170500010001",

        // Sound UPDATEs with everything in them, for sessions of every kind: mutation should reach beyond the first check.
        Marker + "010202000000e34001010040021802030000fdea0001117000005ba001020000fc000000fc014003040a6300028004040000000a400504"
            + "00000064400600c00708000111700a000001c00808fdea0001ffffff018009040a000009800a080a0000010a000002c010100002fde900"
            + "0000014004fde900000001c0160900060000000a000002c0170800070004040200ffc01914000220010db8000000000000000000000001"
            + "0001801a0b01000b000000000000000ac0200c000000010000000200000003c023040000fdeac0280a01000700000000000001e0630478"
            + "787878c080080000fdea4001010018c6120118c61202",
        Marker + "012b0200000114800e350002012020010db8000000000000000000000001fe800000000000000000000000000001003020010db8000140"
            + "20010db8000200034001010040021802030000fdea0001117000005ba001020000fc000000fc018004040000000a400504000000644006"
            + "00c00708000111700a000001c00808fdea0001ffffff018009040a000009800a080a0000010a000002c010100002fde9000000014004fd"
            + "e900000001c0160900060000000a000002c0170800070004040200ffc01914000220010db80000000000000000000000010001801a0b01"
            + "000b000000000000000ac0200c000000010000000200000003c023040000fdeac0280a01000700000000000001e0630478787878c08008"
            + "0000fdea40010100",
        Marker + "005202000418c612030033800f0a0002013020010db800054001010040021802030000fdea0001117000005ba001020000fc000000fc01"
            + "4003040a63000218c61201",
        Marker + "007102000000524001010040020e0203fdea5ba05ba00102fc00fc014003040a6300028004040000000ac007065ba00a000001c0111802"
            + "030000fdea000111700001117101020000fc000000fc01c01208000111700a00000118c6120118c61202",
        Marker + "004d02000000264001010040021802030000fdea0001117000005ba001020000fc000000fc014003040a6300020000000118c612010000"
            + "000218c61201",
        Marker + "005d0200000046800e190001011020010db80000000000000000000000010018c612014001010040021802030000fdea0001117000005b"
            + "a001020000fc000000fc01c00808fdea0001ffffff01",
    ];

    /// <summary>What a BFD session hears on its way up, and in polls; with authentication at last.</summary>
    private static readonly byte[][] ControlPackets =
    [
        Convert.FromHexString("20400318000000010000000000" + "0f42400000c35000000000"),
        Convert.FromHexString("20800318000000010000000700" + "0f42400000c35000000000"),
        Convert.FromHexString("20e0031800000001000000070000c3500000c35000000000"),
        Convert.FromHexString("21d0051800000001000000070000271000004e2000000000"),
        Convert.FromHexString("20c4032100000001000000070000c3500000c350000000000109016162636465"),
    ];

    /// <summary>What policy is made of, with every field that is read.</summary>
    private static readonly string[] Objects =
    [
        """
        {"apiVersion":"projectcalico.org/v3","kind":"GlobalNetworkPolicy","metadata":{"name":"default.a"},"spec":{"tier":"default",
        "order":1.5,"selector":"a == 'x' && !has(b)","namespaceSelector":"c in {'y'}","serviceAccountSelector":"all()","types":["Ingress"],
        "preDNAT":true,"applyOnForward":true,"ingress":[{"action":"Allow","ipVersion":4,"protocol":"TCP","notProtocol":17,
        "source":{"nets":["10.0.0.0/8"],"notNets":["10.1.0.0/16"],"selector":"has(a)","notSelector":"has(b)","namespaceSelector":"global()",
        "serviceAccounts":{"names":["x"],"selector":"has(t)"},"ports":[80,"8000:8010","http"]},"destination":{"notPorts":[1]},
        "metadata":{"annotations":{"a":"b"}}},{"action":"Deny","protocol":"ICMP","icmp":{"type":8,"code":0},"notICMP":{"type":3}}]}}
        """,
        """
        {"apiVersion":"crd.projectcalico.org/v1","kind":"NetworkPolicy","metadata":{"name":"sec.a","namespace":"n"},"spec":{"tier":"sec",
        "doNotTrack":false,"egress":[{"action":"Allow","destination":{"domains":["*.example.org"]}},
        {"action":"Pass","destination":{"services":{"name":"web","namespace":"shop"}}}]}}
        """,
        """
        {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a","namespace":"n"},"spec":{"podSelector":
        {"matchLabels":{"a":"x"},"matchExpressions":[{"key":"b","operator":"In","values":["y","z"]},{"key":"c","operator":"DoesNotExist"}]},
        "policyTypes":["Ingress","Egress"],"ingress":[{"from":[{"podSelector":{},"namespaceSelector":{"matchLabels":{"t":"x"}}},
        {"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}}],"ports":[{"protocol":"UDP","port":53,"endPort":60},{"port":"http"}]}]}}
        """,
        """
        {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"a"},"spec":{"tier":"Admin",
        "priority":5,"subject":{"pods":{"namespaceSelector":{},"podSelector":{"matchLabels":{"a":"x"}}}},"egress":[{"name":"r","action":
        "Accept","to":[{"networks":["10.0.0.0/8"]},{"namespaces":{}}],"protocols":[{"tcp":{"destinationPort":{"number":80}}},{"udp":
        {"destinationPort":{"range":{"start":1,"end":9}}}},{"destinationNamedPort":"web"}]},
        {"action":"Accept","to":[{"domainNames":["*.example.org"]}]}]}}
        """,
        """
        {"apiVersion":"policy.networking.k8s.io/v1alpha1","kind":"AdminNetworkPolicy","metadata":{"name":"a"},"spec":{"priority":5,
        "subject":{"namespaces":{}},"ingress":[{"action":"Pass","from":[{"namespaces":{}}],
        "ports":[{"portNumber":{"protocol":"TCP","port":80}},
        {"portRange":{"protocol":"UDP","start":1,"end":9}},{"namedPort":"web"}]}]}}
        """,
        """
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0","namespace":"shop","deletionTimestamp":"2026-01-01T00:00:00Z","labels":
        {"app":"web","pcns.a":"b"},"annotations":{"cni.projectcalico.org/podIPs":"10.0.0.1/32,2001:db8::1","cni.projectcalico.org/podIP":
        "10.0.0.1/32","cni.projectcalico.org/allowedSourcePrefixes":"[\"192.0.2.0/24\"]"}},"spec":{"nodeName":"n","serviceAccountName":"a",
        "containers":[{"ports":[{"name":"http","containerPort":80,"protocol":"TCP"}]}]},"status":{"phase":"Running","podIP":"10.0.0.1",
        "podIPs":[{"ip":"10.0.0.1"}]}}
        """,
        """
        {"apiVersion":"projectcalico.org/v3","kind":"WorkloadEndpoint","metadata":{"name":"w","namespace":"n"},"spec":{"node":"n",
        "interfaceName":"cali1","ipNetworks":["10.0.0.1/32"],"profiles":["kns.n"],"ports":[{"name":"http","protocol":"TCP","port":80,
        "hostPort":8080}],"allowSpoofedSourcePrefixes":["192.0.2.0/24"],"orchestrator":"k8s","pod":"web","endpoint":"eth0"}}
        """,
        """
        {"apiVersion":"v1","kind":"List","items":[{"apiVersion":"projectcalico.org/v3","kind":"HostEndpoint","metadata":{"name":"h"},
        "spec":{"node":"n","interfaceName":"*","expectedIPs":["192.0.2.1"],"profiles":["a"],
        "ports":[{"name":"ssh","protocol":"TCP","port":22}]}},
        {"apiVersion":"projectcalico.org/v3","kind":"NetworkSet","metadata":{"name":"s","namespace":"n"},"spec":{"nets":["0.0.0.0/0"],
        "allowedEgressDomains":["*.example.org","www.*.com"]}},
        {"apiVersion":"projectcalico.org/v3","kind":"Tier","metadata":{"name":"t"},"spec":{"order":5,"defaultAction":"Pass"}},
        {"apiVersion":"projectcalico.org/v3","kind":"Profile","metadata":{"name":"p"},"spec":{"ingress":[{"action":"Log"}],"labelsToApply":
        {"a":"b"}}},{"apiVersion":"projectcalico.org/v3","kind":"FelixConfiguration","metadata":{"name":"default"},"spec":
        {"dnsTrustedServers":["10.0.0.1:53","[::1]:53","k8s-service:a/b:53"],
        "failsafeInboundHostPorts":[{"protocol":"TCP","port":22,"net":"10.0.0.0/8"}],"defaultEndpointToHostAction":"Accept"}}]}
        """,
    ];

    private static readonly string[] Selectors =
    [
        "a == 'x' && (b != \"y\" || !has(c))", "a in {'x', \"y\",} && b not in {}", "a contains 'x' || b starts with 'y' || c endswith 'z'",
        "!!all() && global() || in in {'in'}",
    ];

    /// <summary>Whole messages, many of them damaged already.</summary>
    public static IReadOnlyList<byte[]> All { get; } = [.. Own.Select(Convert.FromHexString), .. Shared()];

    /// <summary>What damage starts from; sound inputs come first.</summary>
    public static Mutator Mutator(string target, int seed)
    {
        var sound = For(target).TakeWhile((x, i) => i < Own.Length
            && Own.Any(own => own.Contains(Convert.ToHexStringLower(x), StringComparison.Ordinal)));
        return new(For(target), sound.Count(), seed);
    }

    /// <summary>What the target takes: bodies for codecs, blocks for those inside a body.</summary>
    public static IReadOnlyList<byte[]> For(string target) => target switch
    {
        "message" => All,
        "attributes" => [.. Bodies(MessageType.Update, skip: 0).Select(Block)],
        "capabilities" => Bodies(MessageType.Open, skip: 12),
        "open" => Bodies(MessageType.Open, skip: 0),
        "notification" => Bodies(MessageType.Notification, skip: 0),
        "router-message" => [RouterMessage.Advertisement(null), RouterMessage.Solicitation(new(0x020000000001)), .. RouterOptions],
        "neighbour-question" => [.. Questions.Select(Convert.FromHexString)],
        "flow-frames" => FlowTargets.Seeds,
        "gateway-remark" => FlowTargets.Remarks,
        "route-refresh" => Bodies(MessageType.RouteRefresh, skip: 0),
        "bfd" => ControlPackets,
        "foreign-rule" => [.. ForeignTargets.Rules()],
        "iptables-entries" => [.. ForeignTargets.Tables()],
        "ipvs-services" => [.. ((string[])["TCP  0A60000A:0050 rr\n  -> C0A80105:1F90      Masq    1      0          0",
            "TCP  [fd96:0000:0000:0000:0000:0000:0000:0010]:0050 rr"]).Select(System.Text.Encoding.UTF8.GetBytes)],
        "dns-message" => DnsTargets.MessageSeeds,
        "dns-stream" => DnsTargets.StreamSeeds,
        "object" => [.. Objects.Select(System.Text.Encoding.UTF8.GetBytes)],
        "selector" => [.. Selectors.Select(System.Text.Encoding.UTF8.GetBytes)],
        "table-image" => [Image(addPath: false), Image(addPath: true)],
        _ => Bodies(MessageType.Update, skip: 0),
    };

    /// <summary>ARP's question and answer, and a solicitation of a neighbour.</summary>
    private static readonly string[] Questions =
    [
        "ffffffffffff0200000000bb08060001080006040001" + "0200000000bb" + "ac1400fe" + "000000000000" + "ac140040",
        "0200000000aa0200000000bb08060001080006040002" + "0200000000bb" + "ac1400fe" + "0200000000aa" + "ac140040",
        "3333ff0000640200000000bb86dd6000000000203aff" + "fd2000000000000000000000000000fe" + "ff0200000000000000000001ff000064"
            + "8700000000000000" + "fd200000000000000000000000000064" + "01010200000000bb",
    ];

    /// <summary>An advertisement with a prefix and an MTU.</summary>
    private static readonly byte[][] RouterOptions =
        [Convert.FromHexString("86000000400007080000000000000000030440c0000151800000384000000000" + "20010db8000000000000000000000000"
            + "05010000000005dc")];

    /// <summary>Paths of every age, and what two groups were told, one of them with attributes that nobody knows any more.</summary>
    private static byte[] Image(bool addPath)
    {
        var into = new MemoryStream();
        using var image = new TableImageWriter(into);
        var four = new NlriRun
        {
            Family = IpFamily.IPv4,
            AddPath = addPath,
            Octets = Convert.FromHexString(addPath ? "0000000118c612010000000200" : "18c6120118c61202"),
        };
        var six = new NlriRun
        {
            Family = IpFamily.IPv6,
            AddPath = addPath,
            Octets = Convert.FromHexString((addPath ? "00000007" : "") + "3020010db80001"),
        };
        var attributes = Convert.FromHexString("40010100400206020100" + "00fdea4003040a630002c0080800010001ffffff01");
        for (var age = PathAge.LongStale; age <= PathAge.Present; age++)
        {
            image.Paths(3, age, 1_000_000, four, attributes);
            image.Paths(4, age, 7, six, attributes);
            image.AgeEnds(age);
        }
        image.Holding(IpFamily.IPv4, addPath, [(3, MemberDebts.None), (4, MemberDebts.EndOfRib | MemberDebts.Refresh)]);
        image.Told(3, four, attributes);
        image.Holding(IpFamily.IPv6, addPath, [(4, MemberDebts.None)]);
        image.Told(0, six, []);
        image.End();
        return into.ToArray();
    }

    private static IReadOnlyList<byte[]> Bodies(MessageType type, int skip) =>
        [.. All.Where(x => x.Length >= MessageHeader.Octets + skip && x[18] == (byte)type).Select(x => x[(MessageHeader.Octets + skip)..])];

    /// <summary>The attributes of an UPDATE's body, as far as its lengths can be believed.</summary>
    private static byte[] Block(byte[] body)
    {
        var reader = new WireReader(body);
        reader.Take(reader.U16());
        var block = reader.Take(reader.U16());
        return block.IsEmpty ? body : block.ToArray();
    }

    private static IEnumerable<byte[]> Shared()
    {
        if (SharedData.Find(Messages) is not { } file) yield break;
        using var lines = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        lines.ReadLine();
        while (lines.ReadLine() is { } line) yield return Convert.FromHexString(line[(line.LastIndexOf('\t') + 1)..]);
    }
}
