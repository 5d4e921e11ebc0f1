namespace Calico.Bgp.Bfd;

/// <summary>
/// Sessions by when something is due of them, the first first: a binary heap in which each knows its place, so that one whose time has
/// changed is moved without a search.
/// </summary>
internal sealed class DueQueue
{
    private readonly List<Watched> heap = [];

    /// <summary>Null: nobody is watched.</summary>
    public Watched? First => heap.Count > 0 ? heap[0] : null;

    public void Add(Watched one)
    {
        one.Place = heap.Count;
        heap.Add(one);
        Rise(one.Place);
    }

    public void Remove(Watched one)
    {
        var last = heap[^1];
        heap.RemoveAt(heap.Count - 1);
        if (last == one) return;
        Put(last, one.Place);
        Move(last);
    }

    /// <summary>Its time has changed.</summary>
    public void Move(Watched one)
    {
        Rise(one.Place);
        Sink(one.Place);
    }

    private void Rise(int place)
    {
        for (var one = heap[place]; place > 0 && one.Session.Due < heap[(place - 1) / 2].Session.Due; place = (place - 1) / 2)
            Swap(place, (place - 1) / 2);
    }

    private void Sink(int place)
    {
        while (true)
        {
            var least = place;
            for (var child = 2 * place + 1; child <= 2 * place + 2 && child < heap.Count; child++)
                if (heap[child].Session.Due < heap[least].Session.Due) least = child;
            if (least == place) return;
            Swap(place, least);
            place = least;
        }
    }

    private void Swap(int a, int b)
    {
        var one = heap[a];
        Put(heap[b], a);
        Put(one, b);
    }

    private void Put(Watched one, int place)
    {
        heap[place] = one;
        one.Place = place;
    }
}
