// /v1/cnat/sessions: connections that translations have made, told and ended.

using System.ComponentModel;
using System.Globalization;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class CnatSessions
{
    private const int Shown = 50;

    /// <summary>enum tcp_conntrack (linux/netfilter/nf_conntrack_tcp.h).</summary>
    private static readonly string[] TcpStates =
        ["none", "syn-sent", "syn-recv", "established", "fin-wait", "close-wait", "last-ack", "time-wait", "close", "syn-sent2"];

    /// <summary>GET.</summary>
    public static Task TellAsync(HttpContext http, IDataplane? dataplane) => DoAsync(http, dataplane, "max", async (which, known) =>
    {
        if (await known.SessionsAsync(which, http.RequestAborted).ConfigureAwait(false) is not { } all) return false;
        if (all.IsEmpty && await MissingAsync(which, known, http.RequestAborted).ConfigureAwait(false) is { } missing)
        {
            await Answer.ErrorAsync(http, missing).ConfigureAwait(false);
            return true;
        }
        var most = (int)(Number(http.Request.Query["max"].ToString(), int.MaxValue) ?? Shown);
        var answer = new CnatSessionsAnswer(all.Length, [.. all.Take(most).Select(Of)]);
        await Answer.JsonAsync(http, answer, Answer.Json.CnatSessionsAnswer).ConfigureAwait(false);
        return true;
    });

    /// <summary>DELETE.</summary>
    public static Task EndAsync(HttpContext http, IDataplane? dataplane) => DoAsync(http, dataplane, null, async (which, known) =>
    {
        if (await known.EndSessionsAsync(which, http.RequestAborted).ConfigureAwait(false) is not { } count) return false;
        if (count == 0 && await MissingAsync(which, known, http.RequestAborted).ConfigureAwait(false) is { } missing)
            await Answer.ErrorAsync(http, missing).ConfigureAwait(false);
        else await Answer.JsonAsync(http, new(count), Answer.Json.CnatEndedAnswer).ConfigureAwait(false);
        return true;
    });

    /// <summary>There are none, because what is named is not there; null: there might be some.</summary>
    private static async Task<ErrorAnswer?> MissingAsync(SessionFilter which, IDataplane known, CancellationToken stop)
    {
        if (which.Translation is { } id
            && (await known.ServicesAsync(stop).ConfigureAwait(false)).Translations.All(row => row.Id != id))
            return new(AnswerCode.UnknownTranslation, $"expected the id of a translation, got {id}: there is none", "translation");
        return which.Id is { } session
            ? new(AnswerCode.UnknownSession, $"expected the id of a session, got {session}: there is none that all else holds of", "id")
            : null;
    }

    /// <param name="also">A number more that the query may have.</param>
    /// <param name="action">False: services are off.</param>
    private static Task DoAsync(
        HttpContext http, IDataplane? dataplane, string? also, Func<SessionFilter, IDataplane, Task<bool>> action) =>
        Read(http.Request.Query, also, out var which) is { } wrong ? Answer.ErrorAsync(http, wrong)
            : AskAsync(http, dataplane, known => action(which, known));

    /// <param name="action">False: services are off.</param>
    internal static async Task AskAsync(HttpContext http, IDataplane? dataplane, Func<IDataplane, Task<bool>> action)
    {
        try
        {
            if (dataplane == null || !await action(dataplane).ConfigureAwait(false))
                await CnatOrders.RefuseAsync(http, dataplane).ConfigureAwait(false);
        }
        catch (Win32Exception refused)
        {
            await Answer.ErrorAsync(http, AnswerCode.KernelRefused, $"the kernel does not tell its connections: {refused.Message}")
                .ConfigureAwait(false);
        }
    }

    private static ErrorAnswer? Read(IQueryCollection query, string? also, out SessionFilter which)
    {
        which = new();
        foreach (var (key, values) in query)
        {
            var text = values.ToString();
            string? expected = null;
            switch (key)
            {
                case "id" when Number(text, uint.MaxValue) is { } id: which = which with { Id = (uint)id }; break;
                case "translation" when Number(text, int.MaxValue) is { } id: which = which with { Translation = (int)id }; break;
                case "port" when Number(text, ushort.MaxValue) is { } port: which = which with { Port = (ushort)port }; break;
                case "ip" when Address.TryParse(text, out var address): which = which with { Address = address }; break;
                case "protocol" when PacketQuery.TryProtocol(text, out var protocol): which = which with { Protocol = protocol }; break;
                case "ip": expected = "an address"; break;
                case "protocol": expected = "tcp, udp, icmp, icmp6, sctp or a number"; break;
                case "id" or "translation" or "port": expected = "a number"; break;
                case var _ when key == also: expected = Number(text, int.MaxValue) == null ? "a number" : null; break;
                default: return new(AnswerCode.BadQuery, $"expected one of id, translation, protocol, ip, port, got {key}", key);
            }
            if (expected != null) return new(AnswerCode.BadQuery, $"expected {expected} for ?{key}=, got \"{text}\"", key);
        }
        return null;
    }

    private static long? Number(string text, long most) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most ? number : null;

    internal static CnatSessionAnswer Of(ServiceSession one)
    {
        var (connection, state) = (one.Connection, one.State);
        var word = state.Tcp is { } tcp && tcp < TcpStates.Length ? TcpStates[tcp] : state.IsAnswered ? "answered" : "unanswered";
        return new(
            state.Id, one.Translation, Word(connection.Protocol), End(connection.Source, connection.SourcePort),
            End(connection.Destination, connection.DestinationPort), End(connection.Server, connection.ServerPort),
            End(state.Client, state.ClientPort), word, state.Left.TotalSeconds, state.Since, Of(state.Asked), Of(state.Answered),
            one.IsOfGone);
    }

    private static string Word(byte protocol) => Enum.IsDefined((IpProtocol)protocol)
        ? TranslationWords.Of((IpProtocol)protocol) : protocol.ToString(CultureInfo.InvariantCulture);

    private static string End(Address address, ushort? port) => new BackendEnd(TranslationPlace.Of(address), port).ToString();

    private static CnatCountAnswer? Of(ConnectionCount? count) => count is { } one ? new(one.Packets, one.Octets) : null;
}
