namespace Calico.Bgp.Machine;

/// <summary>Something that the machine should have done and did not, in words for the person who asked for it.</summary>
public sealed class MachineException(string message) : Exception(message);
