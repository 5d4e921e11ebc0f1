using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>Whose names an interface is among.</summary>
public enum SourceNatLinks : byte { Include, Pod, Host }

/// <summary>One thing that the command line says of source NAT, over what bgpd.yaml says.</summary>
public abstract record SourceNatEdit
{
    private SourceNatEdit() { }

    /// <summary>What it speaks of: a later one of the same takes its place.</summary>
    internal abstract SourceNatEdit Subject { get; }

    internal abstract SourceNatSettings Over(SourceNatSettings settings);

    /// <summary>It takes away a prefix that is not there.</summary>
    /// <param name="settings">As they are before it; null: nobody says anything.</param>
    public bool IsVain(SourceNatSettings? settings) => this switch
    {
        Exclude { IsGone: true } gone => settings?.Exclude.Contains(gone.Prefix) != true,
        Rewrite { To: null } gone => settings?.Rewrite.Any(one => one.From == gone.From) != true,
        _ => false,
    };

    private static ListOf<T> With<T>(ListOf<T> some, T one, bool isGone) where T : IEquatable<T> =>
        isGone ? [.. some.Where(other => !other.Equals(one))] : some.Contains(one) ? some : [.. some, one];

    public sealed record Policy(SourceNatPolicy To) : SourceNatEdit
    {
        internal override SourceNatEdit Subject => this with { To = default };

        internal override SourceNatSettings Over(SourceNatSettings settings) => settings with { Policy = To };
    }

    /// <param name="To">Of this family; null: none.</param>
    public sealed record Source(IpFamily Family, SourceNatPlace? To) : SourceNatEdit
    {
        internal override SourceNatEdit Subject => this with { To = null };

        internal override SourceNatSettings Over(SourceNatSettings settings)
        {
            var others = settings.Addresses.Where(one => one.Family != Family);
            return settings with { Addresses = To is { } place ? [.. others, place] : [.. others] };
        }
    }

    public sealed record Exclude(Prefix Prefix, bool IsGone) : SourceNatEdit
    {
        internal override SourceNatEdit Subject => this with { IsGone = false };

        internal override SourceNatSettings Over(SourceNatSettings settings) =>
            settings with { Exclude = With(settings.Exclude, Prefix, IsGone) };
    }

    public sealed record Link(SourceNatLinks Among, string Name, bool IsGone) : SourceNatEdit
    {
        internal override SourceNatEdit Subject => this with { IsGone = false };

        internal override SourceNatSettings Over(SourceNatSettings settings) => Among switch
        {
            SourceNatLinks.Include => settings with { Include = With(settings.Include, Name, IsGone) },
            SourceNatLinks.Pod => settings with { Pods = With(settings.Pods, Name, IsGone) },
            _ => settings with { Hosts = With(settings.Hosts, Name, IsGone) },
        };
    }

    /// <param name="To">Null: the prefix stays.</param>
    public sealed record Rewrite(Prefix From, Prefix? To) : SourceNatEdit
    {
        internal override SourceNatEdit Subject => this with { To = null };

        internal override SourceNatSettings Over(SourceNatSettings settings)
        {
            var others = settings.Rewrite.Where(one => one.From != From);
            return settings with { Rewrite = To is { } to ? [.. others, new PrefixRewrite(From, to)] : [.. others] };
        }
    }
}

/// <summary>All that the command line has said of source NAT, in its order.</summary>
public sealed record SourceNatEdits(ListOf<SourceNatEdit> All)
{
    public static readonly SourceNatEdits None = new([]);

    public SourceNatEdits With(SourceNatEdit edit) => new([.. All.Where(one => one.Subject != edit.Subject), edit]);

    /// <summary>One of them speaks of the same.</summary>
    public bool Says(SourceNatEdit edit) => All.Any(one => one.Subject == edit.Subject);

    /// <param name="settings">bgpd.yaml's; null: it says nothing.</param>
    /// <returns>Null: nobody says anything.</returns>
    public SourceNatSettings? Over(SourceNatSettings? settings) =>
        All.Count == 0 ? settings : All.Aggregate(settings ?? new(), (sofar, edit) => edit.Over(sofar));
}

/// <summary>Source NAT as it is in force.</summary>
/// <param name="Settings">Null: nobody says anything.</param>
/// <param name="Edits">What of that the command line has said.</param>
/// <param name="Lacks">Which addresses nobody gets, and why.</param>
public sealed record SourceNatView(SourceNatSettings? Settings, SourceNatEdits Edits, ListOf<string> Lacks = default)
{
    /// <summary>What of it does nothing now.</summary>
    public IEnumerable<string> Idle => [.. Settings?.Idle ?? [], .. Lacks];
}

/// <summary>What the command line has said, beside bgpd.yaml: what another dataplane goes on with.</summary>
public sealed record CommandLineState(ListOf<Translation> Translations, SourceNatEdits SourceNat)
{
    public static readonly CommandLineState None = new([], SourceNatEdits.None);
}
