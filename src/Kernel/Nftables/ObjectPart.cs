namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// An object that rules name, a counter or timeouts: whether it shall be, and whether the kernel has it. What a counter has counted is the
/// kernel's alone; timeouts that are called alike are the same.
/// </summary>
/// <param name="isTimeout">Else a counter.</param>
internal sealed class ObjectPart(string name, bool isTimeout)
{
    public string Name => name;
    public bool IsTimeout => isTimeout;
    /// <summary>Null: nobody has wanted it in this run.</summary>
    public NftTimeout? Timeout { get; set; }
    public bool IsWanted { get; set; }
    public bool IsThere { get; set; }
    public bool Differs => IsWanted != IsThere;
}
