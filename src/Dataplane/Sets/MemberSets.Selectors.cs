using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Sets;

internal sealed partial class MemberSets
{
    /// <summary>The sets of one selector that are in use.</summary>
    private sealed class SelectorSets(MemberSets owner, Selector selector, int slot)
    {
        private readonly FamilySets?[] families = new FamilySets?[2];
        private readonly List<PortSet> ports = [];

        public Selector Selector => selector;

        public FamilySets? this[IpFamily family] => families[(int)family];

        public FamilySets Use(IpFamily family)
        {
            var sets = families[(int)family] ??= new(owner, selector, slot, family);
            sets.Uses++;
            return sets;
        }

        public void Release(IpFamily family)
        {
            var sets = families[(int)family]!;
            if (--sets.Uses > 0) return;
            sets.Remove();
            families[(int)family] = null;
        }

        public string Use(NamedPortMembers wanted)
        {
            var set = ports.Find(set => set.Members == wanted);
            if (set == null) ports.Add(set = new(owner, selector, slot, wanted));
            set.Uses++;
            return set.Part.Name;
        }

        public void Release(NamedPortMembers wanted)
        {
            var set = ports.Find(set => set.Members == wanted)!;
            if (--set.Uses > 0) return;
            owner.parts.Remove(set.Part);
            ports.Remove(set);
        }

        /// <summary>A member comes or goes with all that it has.</summary>
        public void Move(int at, MemberChange change, ListOf<NamedPort> named, bool isIn)
        {
            foreach (var sets in families) sets?.Change(at, change);
            foreach (var set in ports) set.Move(at, isIn ? change.To : change.From, named, isIn);
        }

        /// <summary>One that is and stays a member has become another.</summary>
        public void Change(int at, MemberChange change, ListOf<NamedPort> namedBefore, ListOf<NamedPort> namedAfter)
        {
            foreach (var sets in families) sets?.Change(at, change);
            foreach (var set in ports)
            {
                set.Move(at, change.From, namedBefore, isIn: false);
                set.Move(at, change.To, namedAfter, isIn: true);
            }
        }
    }

    private sealed class FamilySets
    {
        private readonly MemberSets owner;
        private readonly Selector selector;
        private readonly int slot;
        private readonly IpFamily family;
        private readonly SetPart hosts;
        private SetPart? nets;
        /// <summary>Those who have networks.</summary>
        private int netMembers;

        public FamilySets(MemberSets owner, Selector selector, int slot, IpFamily family)
        {
            (this.owner, this.selector, this.slot, this.family) = (owner, selector, slot, family);
            hosts = new(SetKind.Hosts, family, selector.ToString(), Hosts);
            owner.parts.Add(hosts);
            netMembers = owner.Index.MemberSlots(selector).Count(at => NetsOf(at).Any());
            if (netMembers > 0) AddNets();
        }

        public int Uses { get; set; }

        public MemberSetNames Names => new(hosts.Name, nets?.Name);

        public void Remove()
        {
            owner.parts.Remove(hosts);
            if (nets != null) owner.parts.Remove(nets);
        }

        public void Change(int at, MemberChange change)
        {
            var others = new OtherMembers(owner.Index, owner.lists, slot, at);
            foreach (var host in change.HostsGone(family)) ChangeHost(host, others, isIn: false);
            foreach (var host in change.HostsCome(family)) ChangeHost(host, others, isIn: true);
            if (!change.HadNets(family) && !change.HasNets(family)) return;
            if (!CountNets(change.HadNets(family), change.HasNets(family))) return;
            foreach (var net in change.NetsGone(family)) ChangeNet(net, others, isIn: false);
            foreach (var net in change.NetsCome(family)) ChangeNet(net, others, isIn: true);
        }

        private void ChangeHost(Prefix host, in OtherMembers others, bool isIn)
        {
            if (!others.Own(owner.hosts.Of(host.Address))) owner.parts.Change(hosts, new(host), isIn);
        }

        /// <returns>False: the set has come, and will be written as a whole, or is gone.</returns>
        private bool CountNets(bool had, bool has)
        {
            netMembers += (has ? 1 : 0) - (had ? 1 : 0);
            if (netMembers > 0 == (nets != null)) return nets != null;
            if (nets == null) AddNets();
            else
            {
                owner.parts.Remove(nets);
                nets = null;
            }
            owner.NetsChanged?.Invoke(selector, family);
            return false;
        }

        private void AddNets() => owner.parts.Add(nets = new(SetKind.Nets, family, selector.ToString(), Nets));

        /// <summary>What is in it covers what lies inside, and uncovers it when it goes.</summary>
        private void ChangeNet(Prefix net, in OtherMembers others, bool isIn)
        {
            var all = owner.nets[(int)family];
            if (all.IsCovered(net, others)) return;
            owner.parts.Change(nets!, new(net), isIn);
            owner.inside.Clear();
            all.CollectInside(net, others, owner.inside);
            foreach (var covered in owner.inside) owner.parts.Change(nets!, new(covered), !isIn);
        }

        private IEnumerable<SetElement> Hosts() =>
            owner.Index.MemberSlots(selector).SelectMany(at => owner.HostsOf(at, family)).Select(host => new SetElement(host));

        private IEnumerable<SetElement> Nets() =>
            PrefixCover.Outermost(owner.Index.MemberSlots(selector).SelectMany(NetsOf)).Select(net => new SetElement(net));

        private IEnumerable<Prefix> NetsOf(int at) => owner.members[at].Nets
            .Where(prefix => !prefix.IsHost && prefix.Family == family).SelectMany(MemberNets.Halves);
    }

    private sealed class PortSet
    {
        private static readonly byte[] AnyOf = [6, 17, 132]; // TCP, UDP, SCTP

        private readonly MemberSets owner;
        private readonly Selector selector;
        private readonly int slot;

        public PortSet(MemberSets owner, Selector selector, int slot, NamedPortMembers members)
        {
            (this.owner, this.selector, this.slot, Members) = (owner, selector, slot, members);
            Part = new(SetKind.Ports, members.Family, $"{members.Port} {members.Protocol} of {selector}", Elements);
            owner.parts.Add(Part);
        }

        public NamedPortMembers Members { get; }
        public SetPart Part { get; }
        public int Uses { get; set; }

        public void Move(int at, MemberNets nets, ListOf<NamedPort> named, bool isIn)
        {
            if (named.Count == 0) return;
            var others = new OtherMembers(owner.Index, owner.lists, slot, at);
            foreach (var (protocol, port) in Ports(named))
                foreach (var host in nets.Hosts(Members.Family).Span)
                    if (!others.Own(owner.hosts.Of(host.Address), member => Ports(owner.members[member].Ports).Contains((protocol, port))))
                        owner.parts.Change(Part, new(host, protocol, port), isIn);
        }

        private IEnumerable<SetElement> Elements() =>
            from at in owner.Index.MemberSlots(selector)
            from port in Ports(owner.members[at].Ports)
            from host in owner.HostsOf(at, Members.Family)
            select new SetElement(host, port.Protocol, port.Port);

        /// <summary>Each once.</summary>
        private IEnumerable<(byte Protocol, ushort Port)> Ports(ListOf<NamedPort> named) =>
            named.Where(port => port.Name == Members.Port)
                .SelectMany(port => Protocols(port).Select(protocol => (protocol, port.Port))).Distinct();

        private IEnumerable<byte> Protocols(NamedPort port) =>
            (port.Protocol is { } one ? [one] : AnyOf).Where(protocol => Members.Protocol is not { } asked || asked == protocol);
    }
}
