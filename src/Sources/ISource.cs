using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources;

/// <summary>Where objects come from. A source names all that it has, says that it is in sync, and then every change, until it is
/// cancelled; with all that it says goes how it is doing (<see cref="SourceState"/>), and where that changes, it says that alone.</summary>
public interface ISource
{
    /// <summary>Its key in bgpd.yaml.</summary>
    string Kind { get; }

    /// <summary>As a message to the operator names it.</summary>
    string Name { get; }

    /// <param name="loop">Its own: it beats when it looks, and rests while it waits.</param>
    Task RunAsync(Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation);
}
