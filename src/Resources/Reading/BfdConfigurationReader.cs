namespace Calico.Bgp.Resources.Reading;

/// <summary>BFDConfiguration. Of RFC 5880's ranges those that this daemon runs: intervals from 10 ms, idle ones from a second.</summary>
internal static class BfdConfigurationReader
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(10), Most = TimeSpan.FromMinutes(1),
        LeastIdle = TimeSpan.FromSeconds(1), MostIdle = TimeSpan.FromHours(1);

    public static BfdConfiguration Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var read = new BfdConfiguration(metadata)
        {
            NodeSelector = spec["nodeSelector"].Selector() ?? Selector.All,
            Interfaces = spec["interfaces"].List(Interface),
        };
        spec.WarnOfOthers();
        return read;
    }

    private static BfdInterface? Interface(Field field)
    {
        var link = field.Section();
        link["matchPattern"].Require("an interface's name or a pattern such as eth*");
        var said = new BfdInterface(link["matchPattern"].Word() ?? "");
        said = said with
        {
            MinimumReceive = Time(link["minimumRecvInterval"], Least, Most) ?? said.MinimumReceive,
            MinimumSend = Time(link["minimumSendInterval"], Least, Most) ?? said.MinimumSend,
            IdleSend = Time(link["idleSendInterval"], LeastIdle, MostIdle) ?? said.IdleSend,
            Multiplier = link["multiplier"].Number(1, 255) ?? said.Multiplier,
        };
        link.WarnOfOthers();
        return said;
    }

    private static TimeSpan? Time(Field field, TimeSpan least, TimeSpan most)
    {
        if (field.Duration() is not { } time) return null;
        if (time >= least && time <= most) return time;
        field.Error($"expected from {least.TotalMilliseconds}ms to {most.TotalSeconds}s, got {time.TotalMilliseconds}ms");
        return null;
    }
}
