using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

public class InternerTests
{
    private static LocalMarks Unmarked => default;

    private static byte[] Octets(uint med, out AttributeSummary summary)
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        editor.SetNextHop(Address.Parse("10.0.0.200"));
        editor.SetMed(med);
        return editor.Finish(out summary).ToArray();
    }

    [Fact]
    public void Equal_octets_are_one_set_and_other_marks_another()
    {
        var interner = new AttributeInterner(new(new FlatNetwork()));
        var octets = Octets(1, out var summary);
        var first = interner.Intern(octets, summary, Unmarked);
        Assert.Equal(first, interner.Intern(octets.ToArray(), summary, Unmarked));
        Assert.NotEqual(first, interner.Intern(octets, summary, new(new(77, 0), 0)));
        Assert.Equal(2, interner.Count);
    }

    [Fact]
    public void The_last_release_forgets_the_set_and_its_next_hop()
    {
        var nextHops = new NextHops(new FlatNetwork());
        var interner = new AttributeInterner(nextHops);
        var handle = interner.Intern(Octets(1, out var summary), summary, Unmarked);
        interner.Hold(handle);
        interner.Release(handle);
        Assert.Equal(1, interner.Count);
        interner.Release(handle);
        Assert.Equal(0, interner.Count);
        Assert.Equal(1u, nextHops.Hold(Address.Parse("10.9.9.9"), 0));
    }

    [Fact]
    public void Many_sets_come_and_go_without_a_trace()
    {
        var interner = new AttributeInterner(new(new FlatNetwork()));
        ComeAndGo(interner, 0);
        ComeAndGo(interner, 5000);
        var octets = interner.Octets;
        for (var round = 2u; round < 10; round++) ComeAndGo(interner, round * 5000);
        Assert.Equal(octets, interner.Octets);
    }

    private static void ComeAndGo(AttributeInterner interner, uint firstMed)
    {
        var handles = new List<uint>();
        for (var med = firstMed; med < firstMed + 5000; med++) handles.Add(
            interner.Intern(Octets(med, out var summary), summary, Unmarked));
        for (var i = 0; i < 5000; i++) Assert.Equal(firstMed + i, interner[handles[i]].Summary.Med);
        foreach (var handle in handles) interner.Release(handle);
        Assert.Equal(0, interner.Count);
    }

    [Fact]
    public void Octets_of_a_freed_place_are_given_to_the_next_of_that_size()
    {
        var store = new OctetStore();
        var place = store.Add(new byte[30]);
        var other = store.Add([1, 2, 3]);
        store.Remove(place, 30);
        Assert.Equal(place, store.Add([.. Enumerable.Repeat((byte)9, 29)]));
        Assert.Equal([1, 2, 3], store[other, 3].ToArray());
    }

    [Fact]
    public void A_dirty_queue_holds_each_handle_once_in_the_order_of_its_arrival()
    {
        var queue = new DirtyQueue();
        for (var handle = 1u; handle <= 1000; handle++) queue.Add(handle);
        queue.Add(7);
        Assert.Equal(1000, queue.Count);
        Assert.Equal([1u, 2u, 3u], queue.Take(3).ToArray());
        queue.Add(2);
        var rest = new List<uint>();
        while (queue.Count > 0) rest.AddRange(queue.Take(5000));
        Assert.Equal([.. Enumerable.Range(4, 997).Select(handle => (uint)handle), 2u], rest);
        Assert.False(queue.Contains(2));
    }
}
