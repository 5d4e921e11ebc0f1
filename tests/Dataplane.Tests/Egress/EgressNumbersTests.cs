using Calico.Bgp.Dataplane.Egress;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>Numbers of ways, and where they stand in the mark.</summary>
public sealed class EgressNumbersTests
{
    [Theory]
    [InlineData(0xfff00000, 0x80000000, 1023, 0x40100000)]
    [InlineData(0xff00, 0x8000, 63, 0x4100)]
    [InlineData(0x7, 0x4, 1, 0x3)]
    public void The_mark_has_a_bit_for_this_node_one_for_others_and_a_number_for_the_way(uint mask, uint here, int most, uint first)
    {
        var marks = new EgressMarks(mask);
        Assert.Equal((here, most, first), (marks.Here, marks.Most, marks.To(1)));
        Assert.Equal(mask & ~here, marks.To(most));
    }

    [Fact]
    public void Numbers_follow_from_the_words_and_are_kept_while_they_are_used()
    {
        var (one, other) = (new EgressNumbers(), new EgressNumbers());
        Assert.Empty(one.Keep(["a", "b", "c"], 100));
        Assert.Empty(other.Keep(["c", "a", "b"], 100));
        Assert.Equal(one.All.OrderBy(pair => pair.Key), other.All.OrderBy(pair => pair.Key));
        Assert.Equal(["d"], one.Keep(["a", "b", "c", "d"], 3).Except(["a", "b", "c"]));
        Assert.Equal(["a"], new EgressNumbers().Keep(["a"], 0));
    }

    /// <summary>By the words alone each of many would often have a number that another has had first.</summary>
    [Fact]
    public void After_a_restart_each_has_its_own_number_again_whichever_others_came_and_went()
    {
        var before = new EgressNumbers();
        string[] all = [.. Enumerable.Range(0, 200).Select(one => $"way {one}")];
        foreach (var one in all.Reverse()) before.Keep(before.All.Keys.Append(one), 255);
        before.Keep(all[50..], 255);
        var now = new EgressNumbers();
        now.Adopt(before.All.Select(pair => (EgressNumbers.TagOf(pair.Key), pair.Value)));
        Assert.Empty(now.Keep([.. all[51..], "new"], 255));
        Assert.All(all[51..], one => Assert.Equal(before.All[one], now.All[one]));
        Assert.DoesNotContain(now.All["new"], before.All.Values);
    }

    /// <summary>Until its successor is in force its packets are led by the number.</summary>
    [Fact]
    public void A_number_that_becomes_free_is_given_to_nobody_in_the_same_breath()
    {
        var numbers = new EgressNumbers();
        numbers.Keep(["a"], 2);
        var had = numbers.All["a"];
        numbers.Keep(["b"], 2);
        Assert.NotEqual(had, numbers.All["b"]);
        Assert.Empty(numbers.Keep(["b", "c"], 2));
        Assert.Equal(had, numbers.All["c"]);
    }
}
