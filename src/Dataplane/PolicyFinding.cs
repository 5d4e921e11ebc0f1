using System.Globalization;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>Where what policies say is most likely not what their author meant: traps of Calico's documents, and what its users have
/// stumbled over.</summary>
public enum PolicyTrap : byte
{
    /// <summary>New connections like the one that this is asked over are denied.</summary>
    LocksOut,
    /// <summary>An object is not in force as it is written.</summary>
    Refused,
    /// <summary>preDNAT policies allow and none denies: there is no default deny, so they restrict nothing.</summary>
    PreDnatWithoutDeny,
    /// <summary>A policy, or a rule, behind others that decide all that it would.</summary>
    NeverReached,
    /// <summary>Endpoints are selected, and none of them is ever asked a policy of that kind.</summary>
    NeverAsked,
    /// <summary>A selector, or a service, has nobody.</summary>
    SelectsNothing,
    /// <summary>A direction is named and has no rules.</summary>
    NoRules,
    /// <summary>doNotTrack lets a question in and no answer out.</summary>
    NoWayBack,
    /// <summary>A host endpoint has neither a policy nor a profile.</summary>
    HostClosed,
    /// <summary>A tier or a profile is named that nobody has said.</summary>
    Unknown,
    /// <summary>The interface of a workload of this node is not here, or is another workload's.</summary>
    NoInterface,
    /// <summary>An interface of this node is a workload's by its name, and nobody has named the workload.</summary>
    UnknownInterface,
}

/// <param name="Object">Whose it is: <c>KIND/NAMESPACE/NAME</c>, with a rule where it is one's.</param>
public sealed record PolicyFinding(PolicyTrap Trap, string Object, string Reason);

/// <summary>The connection that whoever asks has come by, as sshd tells its sessions (SSH_CONNECTION).</summary>
public sealed record SshConnection(Address Client, ushort ClientPort, Address Server, ushort ServerPort)
{
    /// <param name="text"><c>192.0.2.9 51234 10.0.0.1 22</c>.</param>
    public static SshConnection? Parse(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 4 || !Address.TryParse(Bare(words[0]), out var client) || !Address.TryParse(Bare(words[2]), out var server))
            return null;
        if (client.Family != server.Family || Port(words[1]) is not { } from || Port(words[3]) is not { } to) return null;
        return new(client, from, server, to);
    }

    /// <summary>A link-local address has its link behind it (<c>fe80::1%eth0</c>).</summary>
    private static string Bare(string address) => address.Split('%')[0];

    private static ushort? Port(string word) =>
        ushort.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;

    /// <summary>A new connection of the same client.</summary>
    internal PolicyQuestion Question => new(Client.ToString(), Server.ToString(), IpProtocol.Tcp, ServerPort, null);

    /// <summary>The answer to a question that conntrack was kept from seeing: to it an answer without a question is invalid.</summary>
    internal PolicyQuestion Answer => new(Server.ToString(), Client.ToString(), IpProtocol.Tcp, ClientPort, null)
    {
        SourcePort = ServerPort,
        State = ConnectionStates.Invalid,
    };

    public override string ToString() => $"{Client} {ClientPort} {Server} {ServerPort}";
}
