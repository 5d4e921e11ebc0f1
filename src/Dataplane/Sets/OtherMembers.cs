using Calico.Bgp.Dataplane.Selectors;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>Those who match a selector, but for one member, who is just coming or going.</summary>
internal readonly struct OtherMembers(SelectorIndex index, OwnerLists lists, int selector, int except)
{
    /// <summary>One of them is in the list.</summary>
    public bool Own(int list)
    {
        for (var place = list; place != OwnerLists.Empty;)
        {
            (var member, place) = lists.At(place);
            if (member != except && index.IsMember(member, selector)) return true;
        }
        return false;
    }

    /// <summary>One of them is in the list, and has what is asked for.</summary>
    public bool Own(int list, Func<int, bool> has)
    {
        for (var place = list; place != OwnerLists.Empty;)
        {
            (var member, place) = lists.At(place);
            if (member != except && index.IsMember(member, selector) && has(member)) return true;
        }
        return false;
    }
}
