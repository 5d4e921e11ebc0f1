using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>What those who look in may see of what is done to packets. Thread-safe.</summary>
public interface IDataplane
{
    NatView View { get; }
    NatExplanation Explain(Address source, Address destination);
}
