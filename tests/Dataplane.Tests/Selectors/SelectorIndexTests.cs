using Calico.Bgp.Dataplane.Selectors;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.Selectors;

public class SelectorIndexTests
{
    /// <summary>The index, what it has told, and the same known without any index.</summary>
    private sealed class Watched
    {
        private readonly HashSet<(Selector, ResourceId)> told = [];
        private readonly Dictionary<ResourceId, (Labels Labels, ListOf<string> Profiles)> items = [];
        private readonly Dictionary<string, Labels> profiles = [];
        private readonly Dictionary<Selector, int> used = [];

        public Watched() => Index = new(Tell, name => profiles.GetValueOrDefault(name, Labels.Empty));

        public SelectorIndex Index { get; }

        private void Tell(Membership change)
        {
            var fresh = change.IsIn ? told.Add((change.Selector, change.Item)) : told.Remove((change.Selector, change.Item));
            Assert.True(fresh, $"told twice: {change}");
            Assert.Equal(change.SelectorSlot, Index.SlotOf(change.Selector));
            foreach (var other in items.Keys.Where(id => id != change.Item))
            {
                Assert.True(Index.TryGetSlot(other, out var at));
                Assert.Equal(told.Contains((change.Selector, other)), Index.IsMember(at, change.SelectorSlot));
            }
        }

        public void Set(ResourceId id, Labels labels, ListOf<string> inherits)
        {
            items[id] = (labels, inherits);
            Index.SetItem(id, labels, inherits);
        }

        public void Remove(ResourceId id)
        {
            items.Remove(id);
            Index.RemoveItem(id);
        }

        public void Set(string profile, Labels labels)
        {
            profiles[profile] = labels;
            Index.LookAtProfile(profile);
        }

        public void RemoveProfile(string profile)
        {
            profiles.Remove(profile);
            Index.LookAtProfile(profile);
        }

        public void Use(Selector selector)
        {
            used[selector] = used.GetValueOrDefault(selector) + 1;
            Assert.Equal(used[selector] == 1, Index.Use(selector));
            if (used[selector] == 1)
                foreach (var item in Index.Members(selector)) Assert.True(told.Add((selector, item)));
        }

        public void Release(Selector selector)
        {
            if (!used.ContainsKey(selector)) return;
            var last = --used[selector] == 0;
            Assert.Equal(last, Index.Release(selector));
            if (!last) return;
            used.Remove(selector);
            told.RemoveWhere(pair => pair.Item1.Equals(selector));
        }

        /// <summary>Own labels over the first profile's over the second's.</summary>
        private Labels Effective(ResourceId id) =>
            items[id].Profiles.Reverse().Aggregate(Labels.Empty, (all, name) => all.With(profiles.GetValueOrDefault(name, Labels.Empty)))
                .With(items[id].Labels);

        public void Check()
        {
            foreach (var selector in used.Keys)
            {
                ResourceId[] naive = [.. items.Keys.Where(id => selector.Matches(Effective(id))).Order()];
                Assert.Equal(naive, Index.Members(selector).Order());
                Assert.Equal(naive, told.Where(pair => pair.Item1.Equals(selector)).Select(pair => pair.Item2).Order());
            }
            foreach (var id in items.Keys)
            {
                Assert.Equal(used.Keys.Where(selector => selector.Matches(Effective(id))).Select(selector => selector.ToString()).Order(),
                    Index.Matching(id).Select(selector => selector.ToString()).Order());
                Assert.True(Index.TryGetSlot(id, out var at));
                foreach (var selector in used.Keys)
                    Assert.Equal(selector.Matches(Effective(id)), Index.IsMember(at, Index.SlotOf(selector)));
            }
        }
    }

    private static readonly string[] SomeKeys = ["a", "b", "projectcalico.org/namespace"];
    private static readonly string[] SomeValues = ["x", "y", "xy", ""];

    private static readonly Gen<Labels> SomeLabels =
        from pairs in Gen.Zip(Gen.Elements(SomeKeys), Gen.Elements(SomeValues)).ListOf()
        select Labels.From(pairs.Take(3).Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2)));

    private static readonly Gen<string> Atom = Gen.OneOf(
        Gen.Constant("all()"),
        from key in Gen.Elements(SomeKeys) select $"has({key})",
        from key in Gen.Elements(SomeKeys)
        from op in Gen.Elements("==", "!=", "contains", "starts with", "ends with")
        from value in Gen.Elements(SomeValues)
        select $"{key} {op} '{value}'",
        from key in Gen.Elements(SomeKeys)
        from op in Gen.Elements("in", "not in")
        from values in Gen.SubListOf(SomeValues)
        select $"{key} {op} {{{string.Join(", ", values.Select(value => $"'{value}'"))}}}");

    private static Gen<string> SelectorOf(int depth) => depth == 0 ? Atom : Gen.OneOf(
        Atom,
        from one in SelectorOf(depth - 1) select $"!({one})",
        from one in SelectorOf(depth - 1)
        from op in Gen.Elements("&&", "||")
        from other in SelectorOf(depth - 1)
        select $"({one} {op} {other})");

    internal static readonly Gen<Selector> AnySelector = SelectorOf(3).Select(Selector.Parse);

    private static readonly Gen<ResourceId> AnyItem =
        Gen.Elements("w1", "w2", "w3", "w4", "w5").Select(name => new ResourceId(Kinds.Service, new("ns", name)));

    private static readonly Gen<string> AnyProfile = Gen.Elements("kns.one", "ksa.one.sa", "kns.two");

    private static readonly Gen<Action<Watched>> AnyStep = Gen.Frequency(
        (4, from id in AnyItem
            from labels in SomeLabels
            from profiles in AnyProfile.ListOf()
            select (Action<Watched>)(watched => watched.Set(id, labels, [.. profiles.Take(2)]))),
        (1, from id in AnyItem select (Action<Watched>)(watched => watched.Remove(id))),
        (2, from name in AnyProfile from labels in SomeLabels select (Action<Watched>)(watched => watched.Set(name, labels))),
        (1, from name in AnyProfile select (Action<Watched>)(watched => watched.RemoveProfile(name))),
        (3, from selector in AnySelector select (Action<Watched>)(watched => watched.Use(selector))),
        (1, from selector in AnySelector select (Action<Watched>)(watched => { watched.Use(selector); watched.Release(selector); })));

    [Fact]
    public void After_any_changes_members_and_what_was_told_are_those_that_match() => Prop.ForAll(
        AnyStep.ListOf(30).ToArbitrary(), steps =>
        {
            var watched = new Watched();
            foreach (var step in steps)
            {
                step(watched);
                watched.Check();
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Selectors_that_come_and_go_between_changes_leave_nothing_behind() => Prop.ForAll(
        (from steps in AnyStep.ListOf(20) from selectors in AnySelector.ListOf(5) select (steps, selectors)).ToArbitrary(), given =>
        {
            var watched = new Watched();
            foreach (var (step, i) in given.steps.Select((step, i) => (step, i)))
            {
                var selector = given.selectors[i % given.selectors.Count];
                if (i / given.selectors.Count % 2 == 0) watched.Use(selector);
                else watched.Release(selector);
                step(watched);
                watched.Check();
            }
        }).QuickCheckThrowOnFailure();

    private static ResourceId Pod(int n) => new(Kinds.Service, new("default", $"pod{n}"));

    private static Labels Of(params (string Key, string Value)[] labels) =>
        Labels.From(labels.Select(label => KeyValuePair.Create(label.Key, label.Value)));

    [Fact]
    public void A_pod_is_asked_only_by_selectors_that_need_what_it_has()
    {
        var asked = new List<Selector>();
        var index = new SelectorIndex(change => asked.Add(change.Selector), _ => Labels.Empty);
        for (var n = 0; n < 1000; n++) index.Use(Selector.Parse($"projectcalico.org/namespace == 'default' && app == 'app{n}'"));
        index.SetItem(Pod(0), Of(("app", "app7"), ("projectcalico.org/namespace", "default")), []);
        Assert.Equal(1, index.Asked);
        Assert.Equal("(projectcalico.org/namespace == 'default' && app == 'app7')", Assert.Single(asked).ToString());
        // Another with the same labels is asked by nobody.
        index.SetItem(Pod(1), Of(("app", "app7"), ("projectcalico.org/namespace", "default")), []);
        Assert.Equal(1, index.Asked);
        Assert.Equal(2, asked.Count);
    }

    [Fact]
    public void A_selector_that_nobody_uses_cannot_be_released() =>
        Assert.Throws<InvalidOperationException>(() => new SelectorIndex(_ => { }, _ => Labels.Empty).Release(Selector.All));
}
