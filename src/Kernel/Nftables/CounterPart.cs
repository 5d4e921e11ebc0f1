namespace Calico.Bgp.Kernel.Nftables;

/// <summary>A counter by its name: whether it shall be, and whether the kernel has it. What it has counted is the kernel's alone.</summary>
internal sealed class CounterPart(string name)
{
    public string Name => name;
    public bool IsWanted { get; set; }
    public bool IsThere { get; set; }
    public bool Differs => IsWanted != IsThere;
}
