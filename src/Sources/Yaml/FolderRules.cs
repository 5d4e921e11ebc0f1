using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>What of a folder is read, and how soon its losses are believed.</summary>
public sealed record FolderRules
{
    public static readonly FolderRules Default = new();

    /// <summary>How long files must have been gone that went all at once, or with the folder.</summary>
    public TimeSpan EmptyAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a file must not have changed before it is believed that it, or an object in it, has lost something.</summary>
    public TimeSpan LossAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Octets of a file that is read.</summary>
    public long MaxSize { get; init; } = 64L << 20;

    /// <summary>Kinds that concern others alone are passed over, as those are that nobody knows.</summary>
    public Concern Wanted { get; init; } = Concern.Anybody;
}
