namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>As <see cref="LiveFactAttribute"/>, with rows.</summary>
public sealed class LiveTheoryAttribute : TheoryAttribute
{
    public LiveTheoryAttribute() => Skip = LiveFactAttribute.Missing;
}
