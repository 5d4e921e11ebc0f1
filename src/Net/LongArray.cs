using System.Runtime.CompilerServices;

namespace Calico.Bgp.Net;

/// <summary>
/// One long array of a table's, such as an index: outside the garbage-collected heap, and replaced by a longer one at once where
/// the collector would keep the shorter one for a while. Elements begin as zeros.
/// </summary>
/// <remarks>Not thread-safe. Indexes are not checked: they are a hash cut to the length.</remarks>
public sealed unsafe class LongArray<T> : IDisposable where T : unmanaged
{
    private const int Page = 1 << 12;
    private T* first;

    public LongArray(int length)
    {
        Length = length;
        first = (T*)TableMemory.Map(Octets);
    }

    public int Length { get; }
    public nint Octets => ((nint)Length * sizeof(T) + Page - 1) & -Page;

    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref first[index];
    }

    /// <summary>Has the processor fetch the element while other work goes on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(long index)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported) System.Runtime.Intrinsics.X86.Sse.Prefetch0(first + index);
    }

    public void Clear() => new Span<T>(first, Length).Clear();

    public void Dispose()
    {
        if (first != null) TableMemory.Unmap((nint)first, Octets);
        first = null;
    }
}
