using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Selectors;

/// <summary>An item has come to match a selector, or does so no longer.</summary>
/// <param name="SelectorSlot">A small number of the selector's, its own while it is in use: for who keeps rows beside it.</param>
/// <param name="ItemSlot">The same of the item, while it is there.</param>
internal readonly record struct Membership(Selector Selector, ResourceId Item, bool IsIn, int SelectorSlot, int ItemSlot);

/// <summary>
/// Which items match which of the selectors in use, kept as labels and selectors change. An item has its own labels and, where it has not
/// said the same itself, those of its profiles; of two profiles that say the same the first counts.
/// </summary>
/// <remarks>
/// Items with the same labels and profiles (the pods of a deployment) are one group, and only a new group is asked anything. It is asked by
/// those selectors that need a label which it has (<see cref="Selector.Needs"/>), so that a pod that comes costs what it matches; a
/// selector that comes looks at the groups that have what it needs.
/// </remarks>
/// <param name="told">Each change of membership, once, when it holds already, item by item: of all other items that holds what has been
/// told. It must not change the index. Not told: what a selector matches when it is first used or last released
/// (<see cref="Members"/>).</param>
/// <param name="inherited">The labels of a profile, now; asked of those alone that an item names.</param>
internal sealed class SelectorIndex(Action<Membership> told, Func<string, Labels> inherited)
{
    private struct Item
    {
        public ResourceId Id;
        public LabelGroup? Group;
        /// <summary>Of the group's items the next and the one before; -1: none.</summary>
        public int Next, Previous;
    }

    private readonly record struct GroupKey(Labels Labels, ListOf<string> Profiles);

    private readonly Dictionary<ResourceId, int> slots = [];
    private readonly List<Item> items = [];
    private readonly Stack<int> freeItems = [];
    private readonly Dictionary<GroupKey, LabelGroup> groups = [];
    private readonly Dictionary<string, InheritedLabels> profiles = new(StringComparer.Ordinal);
    private readonly Dictionary<Selector, UsedSelector> used = [];
    private readonly List<UsedSelector?> bySlot = [];
    private readonly Stack<int> freeSelectors = [];
    private readonly LabelPostings postings = new();
    private readonly List<int> asked = [], matched = [];

    /// <summary>How often a selector was asked about labels that came: what tests hold the cost against.</summary>
    public long Asked { get; private set; }

    /// <returns>The item's slot.</returns>
    public int SetItem(ResourceId id, Labels labels, ListOf<string> profilesOf)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(slots, id, out var isKnown);
        if (!isKnown) slot = NewItem(id);
        var at = slot;
        var before = items[at].Group;
        var key = new GroupKey(labels, profilesOf);
        if (before != null && before.Labels.Equals(labels) && before.Profiles == profilesOf) return at;
        if (!groups.TryGetValue(key, out var group)) group = NewGroup(key);
        if (before != null) Leave(before, at);
        Enter(group, at);
        Tell(at, before?.Matched ?? [], group.Matched);
        if (before is { Items: 0 }) Forget(before);
        return at;
    }

    public void RemoveItem(ResourceId id)
    {
        if (!slots.Remove(id, out var at)) return;
        var group = items[at].Group!;
        Leave(group, at);
        Tell(at, group.Matched, []);
        if (group.Items == 0) Forget(group);
        items[at] = default;
        freeItems.Push(at);
    }

    /// <summary>What the profile hands down may be something else now.</summary>
    public void LookAtProfile(string name)
    {
        if (!profiles.TryGetValue(name, out var profile)) return;
        var labels = inherited(name);
        if (labels.Equals(profile.Labels)) return;
        var heirs = profile.Heirs.ToArray();
        foreach (var heir in heirs) postings.Remove(heir);
        profile.Labels = labels;
        foreach (var heir in heirs) postings.Add(heir);
        foreach (var heir in heirs)
            if (Ask(heir) is var matched && !matched.AsSpan().SequenceEqual(heir.Matched)) Move(heir, matched);
    }

    /// <summary>One item after the other goes over to what the group is now.</summary>
    private void Move(LabelGroup group, int[] matched)
    {
        var next = new LabelGroup(group.Labels, group.Profiles, group.Inherited) { Matched = matched };
        groups[new(group.Labels, group.Profiles)] = next;
        postings.Remove(group);
        postings.Add(next);
        foreach (var profile in group.Inherited)
        {
            profile.Heirs.Remove(group);
            profile.Heirs.Add(next);
        }
        while (group.First >= 0)
        {
            var at = group.First;
            Leave(group, at);
            Enter(next, at);
            Tell(at, group.Matched, matched);
        }
    }

    /// <summary>The selector is asked about from now on. Counted: as often as it is used it is to be released.</summary>
    /// <returns>True: nobody else was using it.</returns>
    public bool Use(Selector selector)
    {
        if (used.TryGetValue(selector, out var known))
        {
            known.Uses++;
            return false;
        }
        if (!freeSelectors.TryPop(out var slot))
        {
            slot = bySlot.Count;
            bySlot.Add(null);
        }
        var entry = new UsedSelector(selector, slot);
        postings.Add(entry, groups.Values);
        bySlot[slot] = used[selector] = entry;
        foreach (var group in Candidates(entry))
            if (selector.Matches(group)) group.Matched = With(group.Matched, slot);
        return true;
    }

    /// <returns>True: nobody uses it any more.</returns>
    /// <exception cref="InvalidOperationException">Nobody was using it.</exception>
    public bool Release(Selector selector)
    {
        if (!used.TryGetValue(selector, out var entry)) throw new InvalidOperationException($"nobody uses {selector}");
        if (--entry.Uses > 0) return false;
        foreach (var group in Matching(entry)) group.Matched = Without(group.Matched, entry.Slot);
        postings.Remove(entry);
        used.Remove(selector);
        bySlot[entry.Slot] = null;
        freeSelectors.Push(entry.Slot);
        return true;
    }

    /// <summary>Who matches a selector that is in use, in no order that counts.</summary>
    public IEnumerable<ResourceId> Members(Selector selector) => MemberSlots(selector).Select(at => items[at].Id);

    /// <summary>Which of the selectors in use an item matches, in no order that counts.</summary>
    public IEnumerable<Selector> Matching(ResourceId item) =>
        slots.TryGetValue(item, out var at) ? items[at].Group!.Matched.Select(slot => bySlot[slot]!.Selector) : [];

    /// <exception cref="KeyNotFoundException">Nobody uses it.</exception>
    public int SlotOf(Selector selector) => used[selector].Slot;

    public bool TryGetSlot(ResourceId item, out int slot) => slots.TryGetValue(item, out slot);

    public IEnumerable<int> MemberSlots(Selector selector)
    {
        foreach (var group in Matching(used[selector]))
            for (var at = group.First; at >= 0; at = items[at].Next) yield return at;
    }

    /// <summary>In order.</summary>
    public ReadOnlySpan<int> SelectorSlots(int item) => items[item].Group!.Matched;

    public bool IsMember(int item, int selector) => SelectorSlots(item).BinarySearch(selector) >= 0;

    private int NewItem(ResourceId id)
    {
        if (!freeItems.TryPop(out var at))
        {
            at = items.Count;
            items.Add(default);
        }
        items[at] = new Item { Id = id, Next = -1, Previous = -1 };
        return at;
    }

    private void Enter(LabelGroup group, int at)
    {
        ref var item = ref ItemAt(at);
        (item.Group, item.Next, item.Previous) = (group, group.First, -1);
        if (group.First >= 0) ItemAt(group.First).Previous = at;
        group.First = at;
        group.Items++;
    }

    private void Leave(LabelGroup group, int at)
    {
        ref var item = ref ItemAt(at);
        if (item.Next >= 0) ItemAt(item.Next).Previous = item.Previous;
        if (item.Previous >= 0) ItemAt(item.Previous).Next = item.Next;
        else group.First = item.Next;
        item.Group = null;
        group.Items--;
    }

    private ref Item ItemAt(int at) => ref CollectionsMarshal.AsSpan(items)[at];

    private LabelGroup NewGroup(GroupKey key)
    {
        var heritage = key.Profiles.Count == 0 ? [] : key.Profiles.Select(ProfileOf).ToArray();
        var group = new LabelGroup(key.Labels, key.Profiles, heritage);
        foreach (var profile in heritage) profile.Heirs.Add(group);
        groups.Add(key, group);
        postings.Add(group);
        group.Matched = Ask(group);
        return group;
    }

    private void Forget(LabelGroup group)
    {
        groups.Remove(new(group.Labels, group.Profiles));
        postings.Remove(group);
        foreach (var profile in group.Inherited)
        {
            profile.Heirs.Remove(group);
            if (profile.Heirs.Count == 0) profiles.Remove(profile.Name);
        }
    }

    private InheritedLabels ProfileOf(string name)
    {
        if (!profiles.TryGetValue(name, out var profile)) profiles[name] = profile = new(name) { Labels = inherited(name) };
        return profile;
    }

    /// <summary>Which selectors the group matches, in order.</summary>
    private int[] Ask(LabelGroup group)
    {
        asked.Clear();
        matched.Clear();
        postings.CollectSelectors(group, asked);
        asked.Sort();
        for (var i = 0; i < asked.Count; i++)
        {
            // It may need one of two labels, and the group have both.
            if (i > 0 && asked[i - 1] == asked[i]) continue;
            Asked++;
            if (bySlot[asked[i]]!.Selector.Matches(group)) matched.Add(asked[i]);
        }
        return matched.Count == 0 ? [] : [.. matched];
    }

    private IEnumerable<LabelGroup> Candidates(UsedSelector entry) => entry.Terms is { } terms ? postings.Groups(terms) : groups.Values;

    private IEnumerable<LabelGroup> Matching(UsedSelector entry) =>
        Candidates(entry).Where(group => group.Matched.AsSpan().BinarySearch(entry.Slot) >= 0);

    /// <summary>Both in order.</summary>
    private void Tell(int at, int[] before, int[] after)
    {
        if (ReferenceEquals(before, after)) return;
        var id = items[at].Id;
        for (int i = 0, j = 0; i < before.Length || j < after.Length;)
        {
            if (j == after.Length || (i < before.Length && before[i] < after[j])) Tell(before[i++], isIn: false);
            else if (i == before.Length || after[j] < before[i]) Tell(after[j++], isIn: true);
            else (i, j) = (i + 1, j + 1);
        }

        void Tell(int selector, bool isIn) => told(new(bySlot[selector]!.Selector, id, isIn, selector, at));
    }

    private static int[] With(int[] matched, int slot)
    {
        var at = ~matched.AsSpan().BinarySearch(slot);
        return [.. matched.AsSpan(0, at), slot, .. matched.AsSpan(at)];
    }

    private static int[] Without(int[] matched, int slot) => matched.Length == 1 ? [] : Array.FindAll(matched, other => other != slot);
}
