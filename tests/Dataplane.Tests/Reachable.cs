using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Calico.Bgp.Dataplane.Tests;

/// <summary>How many objects hang on one, and elements on its collections, by their types: what stays of what has come and gone shows here,
/// however small it is.</summary>
internal static class Reachable
{
    private static readonly ConcurrentDictionary<Type, FieldInfo[]> Known = [];
    private static readonly ConcurrentDictionary<Type, bool> Leaves = [];

    public static SortedDictionary<string, int> From(object root)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance) { root };
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var open = new Stack<object>([root]); open.TryPop(out var one);)
        {
            var name = one.GetType().ToString();
            counts[name] = counts.GetValueOrDefault(name) + 1 + ElementsOf(one);
            Follow(one, next =>
            {
                if (seen.Add(next)) open.Push(next);
            });
        }
        return counts;
    }

    private static void Follow(object? value, Action<object> found)
    {
        if (value is null or Type or MemberInfo or Pointer || IsLeaf(value.GetType())) return;
        if (value is Array array)
        {
            if (IsLeaf(array.GetType().GetElementType()!)) return;
            foreach (var element in array) Meet(element, found);
            return;
        }
        foreach (var field in FieldsOf(value.GetType())) Meet(field.GetValue(value), found);
    }

    private static void Meet(object? value, Action<object> found)
    {
        if (value is null or Type or MemberInfo or Pointer) return;
        if (value is ValueType) Follow(value, found);
        else found(value);
    }

    private static FieldInfo[] FieldsOf(Type type) => Known.GetOrAdd(type, static of =>
    {
        var fields = new List<FieldInfo>();
        for (Type? at = of; at != null; at = at.BaseType)
            fields.AddRange(at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Where(field => !IsLeaf(field.FieldType)));
        return [.. fields];
    });

    /// <summary>Nothing hangs on it.</summary>
    private static bool IsLeaf(Type type) => Leaves.GetOrAdd(type, static of => of.IsPrimitive || of.IsEnum || of.IsPointer
        || of.IsByRefLike || (of.IsValueType && !HasReferences(of)));

    private static bool HasReferences(Type type) => (bool)typeof(RuntimeHelpers)
        .GetMethod(nameof(RuntimeHelpers.IsReferenceOrContainsReferences))!.MakeGenericMethod(type).Invoke(null, null)!;

    /// <summary>Of numbers and addresses nothing hangs on a collection, and it grows all the same.</summary>
    private static int ElementsOf(object one) => one.GetType() is { Namespace: { } space } type
        && space.StartsWith("System.Collections", StringComparison.Ordinal)
        && type.GetProperty("Count", typeof(int)) is { CanRead: true } count ? (int)count.GetValue(one)! : 0;
}
