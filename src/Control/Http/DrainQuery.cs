using System.Text;
using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

/// <summary>Whom <c>drain</c> is about (null: all), how long routes are the last choice, and what the peers are told.</summary>
internal readonly record struct DrainQuery(string? Peer, TimeSpan Wait, string? Reason)
{
    private static readonly TimeSpan MostWait = TimeSpan.FromHours(24);

    /// <summary>RFC 9003 section 2.</summary>
    private const int MostOctets = 255;

    /// <returns>What is wrong; null: nothing.</returns>
    public static ErrorAnswer? Read(IQueryCollection query, ISpeaker speaker, out DrainQuery asked, bool isEnd = false)
    {
        asked = default;
        if ((isEnd ? OrderQuery.Unknown(query, "peer") : OrderQuery.Unknown(query, "peer", "wait", "text")) is { } unknown) return unknown;
        var (name, wait, text) = (query["peer"].FirstOrDefault(), DrainStatus.DefaultWait, query["text"].FirstOrDefault());
        var peer = name == null ? null : PeerNames.Find(speaker, name)?.Name;
        if (name != peer && peer == null) return new(AnswerCode.UnknownPeer, PeerNames.Unknown(speaker, name!), "peer");
        if (query["wait"].FirstOrDefault() is { } said)
        {
            if (Durations.Parse(said) is not { } time || time > MostWait)
                return new(AnswerCode.BadQuery, $"expected a time from 0 to 24h, such as 60s, for wait, got \"{said}\"", "wait");
            wait = time;
        }
        if (text != null && Encoding.UTF8.GetByteCount(text) is > MostOctets and var octets)
            return new(AnswerCode.BadQuery, $"expected a reason of at most {MostOctets} octets (RFC 9003), got {octets}", "text");
        asked = new(peer, wait, text);
        return null;
    }
}
