namespace Calico.Bgp.Resources.Reading;

/// <summary>CalicoNodeStatus: the order, not the report.</summary>
internal static class CalicoNodeStatusReader
{
    public static CalicoNodeStatus Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        spec["node"].Require("a node's name");
        var classes = NodeStatusClasses.None;
        foreach (var word in spec["classes"].Items()) classes |= word.Choice<NodeStatusClasses>() ?? NodeStatusClasses.None;
        var status = new CalicoNodeStatus(metadata)
        {
            Node = spec["node"].Word() ?? "",
            Classes = classes,
            UpdatePeriod = spec["updatePeriodSeconds"].Number(0, 86400) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };
        spec.WarnOfOthers();
        return status;
    }
}
