namespace Calico.Bgp.Sources.Etcd;

/// <summary>etcd answers, but not with what can be gone on with: why, for the operator.</summary>
internal class EtcdException(string message) : Exception(message);

/// <summary>What is asked for is no longer there, or of another history: everything is to be listed again.</summary>
internal sealed class EtcdCompactedException(string message) : EtcdException(message);
