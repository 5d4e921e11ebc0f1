using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Calico.Bgp.Resources.Tests;

/// <summary>Laws of the selector language, held against trees and labels of all shapes over a small alphabet.</summary>
[Properties(Arbitrary = [typeof(SelectorPropertyTests.Arbitraries)])]
public class SelectorPropertyTests
{
    private static readonly Gen<string> Words = Gen.Elements("a", "b", "ab", "ba", "", "it's");
    private static readonly Gen<string> Names = Gen.Elements("x", "y", "in", "not", "has", "k8s.io/z");

    private static readonly Gen<Labels> AnyLabels =
        from pairs in Gen.ListOf(from name in Names from value in Words select KeyValuePair.Create(name, value))
        select Labels.From(pairs);

    private static readonly Gen<SelectorNode> Atoms = Gen.OneOf(
        Gen.Elements<SelectorNode>(new SelectorNode.Everything(false), new SelectorNode.Everything(true)),
        from name in Names select (SelectorNode)new SelectorNode.Has(name),
        from name in Names
        from how in Gen.Elements(Comparison.Equal, Comparison.Contains, Comparison.StartsWith, Comparison.EndsWith)
        from value in Words
        select (SelectorNode)new SelectorNode.Compare(name, how, value),
        from name in Names from value in Words select (SelectorNode)new SelectorNode.NotEqual(name, value),
        from name in Names
        from negated in Gen.Elements(true, false)
        from values in Gen.ListOf(Words)
        select (SelectorNode)new SelectorNode.In(name, negated, [.. values.Distinct().Order(StringComparer.Ordinal)]));

    private static Gen<SelectorNode> Trees(int size) => size <= 0 ? Atoms : Gen.OneOf(
        Atoms,
        from of in Trees(size - 1) select (SelectorNode)new SelectorNode.Not(of),
        from of in Several(size) select (SelectorNode)new SelectorNode.And(of),
        from of in Several(size) select (SelectorNode)new SelectorNode.Or(of));

    private static Gen<ListOf<SelectorNode>> Several(int size) =>
        from one in Trees(size - 1)
        from two in Trees(size - 1)
        from more in Gen.Elements(true, false)
        from three in Trees(size - 2)
        select more ? (ListOf<SelectorNode>)[one, two, three] : [one, two];

    private static readonly Gen<string> Texts =
        Gen.ListOf(Gen.Elements("a", "'", "\"", "==", "!", "(", ")", "{", "}", ",", "&&", "||", "in", "not", "has(",
            "all()", " ", "\0", "é")).Select(string.Concat);

    internal static class Arbitraries
    {
        public static Arbitrary<SelectorNode> Selectors() => Trees(3).ToArbitrary();

        public static Arbitrary<Labels> LabelSets() => AnyLabels.ToArbitrary();

        public static Arbitrary<string> Strings() => Texts.ToArbitrary();
    }

    [Property]
    internal bool What_is_printed_parses_to_the_same(SelectorNode one) => Selector.Parse(one.ToString()).Equals(new Selector(one));

    [Property]
    internal bool De_Morgans_law_holds(SelectorNode one, SelectorNode two, Labels labels) =>
        new SelectorNode.Not(new SelectorNode.And([one, two])).Matches(labels)
        == new SelectorNode.Or([new SelectorNode.Not(one), new SelectorNode.Not(two)]).Matches(labels);

    [Property]
    internal bool Parsed_operators_are_those_of_logic(SelectorNode one, SelectorNode two, Labels labels) =>
        Selector.Parse($"{one} && {two}").Matches(labels) == (one.Matches(labels) && two.Matches(labels))
        && Selector.Parse($"{one} || {two}").Matches(labels) == (one.Matches(labels) || two.Matches(labels))
        && Selector.Parse($"!{one}").Matches(labels) != one.Matches(labels);

    [Property]
    public bool Equal_and_not_equal_are_opposites_and_so_are_in_and_not_in(Labels labels) =>
        Selector.Parse("x == 'a'").Matches(labels) != Selector.Parse("x != 'a'").Matches(labels)
        && Selector.Parse("x in {'a', 'b'}").Matches(labels) != Selector.Parse("x not in {'a', 'b'}").Matches(labels)
        && Selector.Parse("x in {'a', 'b'}").Matches(labels) == Selector.Parse("x == 'a' || x == 'b'").Matches(labels);

    [Property]
    internal bool Joined_selectors_match_what_both_match(SelectorNode one, SelectorNode two, Labels labels) =>
        new Selector(one).And(new(two)).Matches(labels) == (one.Matches(labels) && two.Matches(labels))
        && new Selector(one).Not().Matches(labels) != one.Matches(labels);

    [Property]
    public bool No_text_is_too_strange_to_be_refused_with_a_reason(string text) =>
        Selector.TryParse(text, out var selector, out var error)
            ? Selector.Parse(selector.ToString()).Equals(selector) : error.Length > 0;
}
