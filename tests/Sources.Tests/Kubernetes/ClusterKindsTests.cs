using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public sealed class ClusterKindsTests
{
    [Fact]
    public void Every_kind_that_somebody_acts_on_is_followed_and_no_other() => Assert.Equal(
        ["BFDConfiguration", "BGPConfiguration", "BGPFilter", "BGPPeer", "BlockAffinity", "CalicoNodeStatus", "EndpointSlice",
            "FelixConfiguration", "IPPool", "Node", "Service"],
        ClusterSource.Kinds.Select(kind => kind.Word).Order(StringComparer.Ordinal));
}
