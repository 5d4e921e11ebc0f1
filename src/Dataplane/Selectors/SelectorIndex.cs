using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Selectors;

/// <summary>An item has come to match a selector, or does so no longer.</summary>
internal readonly record struct Membership(Selector Selector, ResourceId Item, bool IsIn);

/// <summary>
/// Which items match which of the selectors in use, kept as labels and selectors change. An item has its own labels and, where it has not
/// said the same itself, those of its profiles; of two profiles that say the same the first counts.
/// </summary>
/// <param name="told">Each change of membership, once. Not told: what a selector matches when it is first used or last released
/// (<see cref="Members"/>).</param>
internal sealed class SelectorIndex(Action<Membership> told)
{
    public void SetItem(ResourceId id, Labels labels, ListOf<string> profiles) => told(default);

    public void RemoveItem(ResourceId id) => told(default);

    /// <summary>What those inherit that name the profile.</summary>
    public void SetProfile(string name, Labels labels) => told(default);

    public void RemoveProfile(string name) => told(default);

    /// <summary>The selector is asked about from now on. Counted: as often as it is used it is to be released.</summary>
    /// <returns>True: nobody else was using it.</returns>
    public bool Use(Selector selector) => selector.MentionsGlobal;

    /// <returns>True: nobody uses it any more.</returns>
    public bool Release(Selector selector) => selector.MentionsGlobal;

    /// <summary>Who matches a selector that is in use, in no order that counts.</summary>
    public IEnumerable<ResourceId> Members(Selector selector) => [];

    /// <summary>Which of the selectors in use an item matches, in no order that counts.</summary>
    public IEnumerable<Selector> Matching(ResourceId item) => [];
}
