namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>A test against the real BIRD 2 in network namespaces: needs root, and Debian's package bird2.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresBirdFactAttribute : FactAttribute
{
    public RequiresBirdFactAttribute() => Skip = Missing;

    /// <summary>Null: everything is there.</summary>
    internal static string? Missing =>
        !Environment.IsPrivilegedProcess ? "needs root, for network namespaces"
        : !File.Exists("/usr/sbin/bird") ? "needs BIRD 2 (Debian package bird2)"
        : !File.Exists("/usr/sbin/sysctl") ? "needs sysctl (Debian package procps)"
        : null;
}

/// <summary>A test that drives the real <c>birdc</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresBirdcFactAttribute : FactAttribute
{
    public RequiresBirdcFactAttribute() => Skip = File.Exists("/usr/sbin/birdc") ? null : "needs birdc (Debian package bird2)";
}
