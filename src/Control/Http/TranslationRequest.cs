// The body of POST /v1/cnat/translations: bgpd.yaml's keys and words, and what it refuses of them.

using System.Text.Json;
using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Http;

internal static class TranslationRequest
{
    private const int MostWeight = 100, MostAffinity = 86_400;

    /// <summary>One key is wrong; ends the reading.</summary>
    private sealed class Wrong(string key, string words) : Exception(words)
    {
        public ErrorAnswer Error => new(AnswerCode.BadBody, Message, key);
    }

    /// <returns>What is wrong; null: nothing.</returns>
    public static ErrorAnswer? Read(ReadOnlySpan<byte> body, out Translation? translation)
    {
        translation = null;
        try
        {
            return JsonSerializer.Deserialize(body, AnswersJson.Strict.TranslationBody) is { } said ? Read(said, out translation)
                : new(AnswerCode.BadBody, "expected an object, got null", "");
        }
        catch (JsonException wrong)
        {
            const string example = """{"protocol": "tcp", "vip": "30.0.0.2", "port": 80, "backends": [{"to": "20.0.0.1:8080"}]}""";
            return new(AnswerCode.BadBody, $"expected JSON such as {example}, got something else: {Failures.WordsOf(wrong)}", "");
        }
    }

    /// <returns>What is wrong; null: nothing.</returns>
    public static ErrorAnswer? Read(TranslationBody said, out Translation? translation)
    {
        translation = null;
        try
        {
            translation = Read(said);
            return null;
        }
        catch (Wrong wrong)
        {
            return wrong.Error;
        }
    }

    private static Translation Read(TranslationBody said)
    {
        if (said.Vip == null == (said.Real == null)) throw new Wrong("vip", "expected either vip or real");
        var (key, text) = said.Real is { } real ? ("real", real) : ("vip", said.Vip!);
        if (TranslationWords.End(text) is not { Place: { } place, Port: null })
            throw new Wrong(key, $"expected an address or INTERFACE[ v6] for {key}, got \"{text}\"");
        if (TranslationWords.Unfit(place, key == "real" ? TranslationKind.Real : TranslationKind.Vip) is { } why)
            throw new Wrong(key, $"expected another address for {key}, got {place}: {why}");
        if (!TranslationWords.TryProtocol(said.Protocol, place.Family, out var protocol))
            throw new Wrong("protocol", $"expected tcp, udp, sctp, icmp or any for protocol, got \"{said.Protocol}\"");
        if (protocol is null or IpProtocol.Icmp or IpProtocol.Icmp6 && said.Port != 0)
            throw new Wrong("port", $"expected port 0 beside protocol {said.Protocol}, got {said.Port}");
        var hash = Hash(said.FlowHash ?? []);
        if (place.Family == IpFamily.IPv4 && hash.HasFlag(FlowHash.FlowLabel))
            throw new Wrong("flowHash", "expected no flowLabel beside an address of IPv4: it has none");
        ListOf<Backend> backends = [.. said.Backends.Select(one => BackendOf(one, place, said.Port))];
        if (backends.CountBy(one => one.To).FirstOrDefault(same => same.Value > 1) is { Value: > 1, Key: var twice })
            throw new Wrong("backends", $"expected each backend once, got {twice} again (weight says its share)");
        var balance = said.Balance switch
        {
            null or "hash" => TranslationBalance.Hash,
            "maglev" => TranslationBalance.Maglev,
            var other => throw new Wrong("balance", $"expected hash or maglev for balance, got \"{other}\""),
        };
        if (balance == TranslationBalance.Maglev && hash.HasFlag(FlowHash.Symmetric))
            throw new Wrong("flowHash", "expected no symmetric beside maglev: each node has another such hash");
        if (said.Affinity is < 1 or > MostAffinity || (said.Affinity is { } time && time != Math.Floor(time)))
            throw new Wrong("affinity", $"expected whole seconds from 1 to {MostAffinity} for affinity, got {said.Affinity}");
        if (said.Affinity != null && (balance == TranslationBalance.Maglev || said.FlowHash != null))
            throw new Wrong("affinity", "expected neither maglev nor flowHash beside affinity: a client's address alone chooses");
        return new(
            "", key == "real" ? TranslationKind.Real : TranslationKind.Vip, new(place, protocol, said.Port), backends)
        {
            Balance = balance,
            FlowHash = hash,
            Affinity = said.Affinity is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Timeouts = said.Timeouts is { } times ? Timeouts(times, protocol) : null,
        };
    }

    private static TranslationTimeouts? Timeouts(TimeoutsBody said, IpProtocol? protocol)
    {
        var times = new TranslationTimeouts(Time(said.Tcp), Time(said.Other));
        if (times.Problem(protocol) is { } problem) throw new Wrong("timeouts", problem);
        return times.Tcp == null && times.Other == null ? null : times;
    }

    private static TimeSpan? Time(double? seconds)
    {
        if (seconds is not { } some) return null;
        var (least, most) = (TranslationTimeouts.Shortest.TotalSeconds, TranslationTimeouts.Longest.TotalSeconds);
        return some >= least && some <= most && some == Math.Floor(some) ? TimeSpan.FromSeconds(some)
            : throw new Wrong("timeouts", $"expected whole seconds from {least} to {most} in timeouts, got {some}");
    }

    private static FlowHash Hash(IReadOnlyList<string> fields)
    {
        var hash = FlowHash.None;
        foreach (var field in fields)
            hash |= TranslationWords.FlowHash(field)
                ?? throw new Wrong("flowHash", $"expected {TranslationWords.FlowHashWords} for flowHash, got \"{field}\"");
        if (hash.HasFlag(FlowHash.Symmetric) && hash != FlowHash.Symmetric)
            throw new Wrong("flowHash", "expected symmetric alone for flowHash: it takes addresses, protocol and ports");
        return TranslationWords.WithFields(hash);
    }

    private static Backend BackendOf(BackendBody? said, TranslationPlace front, ushort port)
    {
        if (said == null) throw new Wrong("backends", "expected objects in backends, got null");
        if (said.Weight is < 0 or > MostWeight)
            throw new Wrong("weight", $"expected a number from 0 to {MostWeight} for weight, got {said.Weight}");
        var from = said.From == null ? Backend.Unchanged : End("from", said.From, front, port);
        return new(from, End("to", said.To, front, port)) { Weight = said.Weight ?? 1 };
    }

    private static BackendEnd End(string key, string text, TranslationPlace front, ushort port)
    {
        if (TranslationWords.End(text) is not { Place: { } place } end)
            throw new Wrong(key, $"expected ADDRESS[:PORT] or INTERFACE[ v6][:PORT] for {key}, got \"{text}\"");
        if (place.Family != front.Family)
            throw new Wrong(key, $"expected an address of {front.Family.Word()} as {front} has for {key}, got {place}");
        if (place.Address is { } address && TranslationWords.Unfit(address) is { } why)
            throw new Wrong(key, $"expected another address for {key}, got {place}: {why}");
        if (port == 0 && end.Port != null) throw new Wrong(key, $"expected no port beside all ports for {key}, got {end.Port}");
        return end;
    }
}
