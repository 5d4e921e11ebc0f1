using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>Which connections are ended where a pod leaves otherwise than it did.</summary>
public sealed class EgressMovesTests
{
    private const string Source = "192.168.1.2", Node = "172.20.0.1";

    private static readonly ResourceId Pod = new(Kinds.Pod, new("alpha", "a"));

    private static readonly EgressPod Its = new(Pod.Key, "client", [Address.Parse(Source)], null, true);

    /// <param name="words">plain, here ADDRESS, host ADDRESS, away ADDRESSES, mixed ADDRESSES, none.</param>
    private static EgressExit Exit(string words)
    {
        var (kind, faces) = (words.Split(' ')[0], words.Split(' ')[1..].Select(Address.Parse));
        return kind switch
        {
            "plain" => EgressExit.Plain,
            "here" => new(EgressExitKind.Here, [.. faces]),
            "host" => new(EgressExitKind.Here, [.. faces]) { IsByHost = true },
            "away" => new(EgressExitKind.Away, [.. faces]),
            "mixed" => new(EgressExitKind.Away, [.. faces]) { IsMixed = true },
            _ => new(EgressExitKind.Unknown, []) { IsWaiting = true },
        };
    }

    private static EgressExits To(string destination, string words) => new([(Prefix.Parse(destination), Exit(words))]);

    /// <param name="client">Whom answers go to: the pod, where nobody has translated it.</param>
    [Theory]
    [InlineData("plain", "away 10.10.11.0", Node, true)]
    [InlineData("plain", "away 10.10.11.0", Source, true)]
    [InlineData("plain", "here 10.10.11.0", Node, true)]
    [InlineData("plain", "plain", Node, false)]
    [InlineData("away 10.10.11.0", "plain", Source, true)]
    [InlineData("here 10.10.11.0", "plain", "10.10.11.0", true)]
    [InlineData("away 10.10.11.0", "away 10.10.12.0", Source, true)]
    [InlineData("away 10.10.11.0 10.10.12.0", "away 10.10.12.0 10.10.13.0", Source, false)]
    [InlineData("away 10.10.11.0", "here 10.10.11.0", Source, true)]
    [InlineData("here 10.10.11.0", "away 10.10.11.0", "10.10.11.0", true)]
    [InlineData("here 10.10.11.0", "here 10.10.12.0", "10.10.11.0", true)]
    [InlineData("here 10.10.11.0", "here 10.10.11.0", "10.10.11.0", false)]
    [InlineData("host 172.20.0.1", "host 172.20.0.1", Node, false)]
    [InlineData("host 172.20.0.1", "host 172.20.0.1", Source, true)]
    [InlineData("here 10.10.11.0", "host 172.20.0.1", "10.10.11.0", true)]
    // What is not known says nothing; what the kernel would drop is ended all the same.
    [InlineData(null, "away 10.10.11.0", Source, false)]
    [InlineData(null, "away 10.10.11.0", Node, true)]
    [InlineData(null, "here 10.10.11.0", Source, true)]
    [InlineData(null, "plain", Node, false)]
    // Nothing leaves: it may be again as it was.
    [InlineData("away 10.10.11.0", "none", Source, false)]
    [InlineData("here 10.10.11.0", "none", "10.10.11.0", false)]
    // In a maintenance of a gateway that is this node what began before has its address, and what began since has none.
    [InlineData("here 10.10.11.0", "mixed 10.10.11.0 10.10.12.0", "10.10.11.0", false)]
    [InlineData("plain", "mixed 10.10.11.0 10.10.12.0", Node, true)]
    public void A_connection_is_ended_that_would_leave_as_somebody_else(string? before, string now, string client, bool ends) =>
        Assert.Equal(ends, Exit(now).Ends(Address.Parse(Source), Address.Parse(client), before == null ? [] : [Exit(before)]));

    private static readonly EgressExits Anywhere = To("0.0.0.0/0", "away 10.10.11.0");

    [Fact]
    public void What_is_as_it_was_or_has_just_come_moves_nothing()
    {
        var moves = new EgressMoves();
        moves.Take();
        moves.Put(Pod, Its, Anywhere);
        moves.Put(Pod, Its, To("0.0.0.0/0", "away 10.10.11.0"));
        Assert.Empty(moves.Take());
        moves.Forget(Pod);
        moves.Put(Pod, Its, To("0.0.0.0/0", "away 10.10.12.0"));
        Assert.Empty(moves.Take());
    }

    [Fact]
    public void When_a_daemon_begins_all_are_looked_at_of_whom_nothing_is_known()
    {
        var moves = new EgressMoves();
        moves.Put(Pod, Its, Anywhere);
        Assert.Equal(new EgressMove([], Anywhere), Assert.Single(moves.Take()).Value);
    }

    [Fact]
    public void Who_leaves_by_no_way_for_a_while_is_compared_with_what_was_before()
    {
        var moves = new EgressMoves();
        moves.Put(Pod, Its, Anywhere);
        moves.Take();
        moves.Put(Pod, Its, null);
        Assert.Empty(moves.Take());
        moves.Put(Pod, Its, To("0.0.0.0/0", "none"));
        Assert.All(moves.Take(), one => Assert.True(one.Value.Now.For(Address.Parse("198.51.100.1")).IsWaiting));
        moves.Put(Pod, Its, To("0.0.0.0/0", "away 10.10.12.0"));
        var move = Assert.Single(moves.Take()).Value;
        Assert.True(Ends(move, "198.51.100.1"));
        moves.Put(Pod, Its, To("0.0.0.0/0", "none"));
        moves.Take();
        moves.Put(Pod, Its, To("0.0.0.0/0", "away 10.10.12.0"));
        Assert.False(Ends(Assert.Single(moves.Take()).Value, "198.51.100.1"));
    }

    private static bool Ends(EgressMove move, string destination) => Address.Parse(destination) is var to && move.Now.For(to)
        .Ends(Address.Parse(Source), Address.Parse(Source), move.Earlier.Select(exits => exits.For(to)));

    [Fact]
    public void Of_changes_that_come_quickly_all_are_remembered()
    {
        var moves = new EgressMoves();
        moves.Put(Pod, Its, Anywhere);
        moves.Take();
        moves.Put(Pod, Its, EgressExits.Plain);
        moves.Put(Pod, Its, Anywhere);
        var move = Assert.Single(moves.Take()).Value;
        Assert.True(Ends(move, "198.51.100.1"));
        var scope = new EgressMovedScope(new Dictionary<Address, EgressMove> { [Its.Addresses[0]] = move }, [], KernelSnapshot.Empty, null);
        moves.Put(Pod, Its, EgressExits.Plain);
        var both = scope.With(new(moves.Take(), [], KernelSnapshot.Empty, null)).Moves[Its.Addresses[0]];
        Assert.Equal([Anywhere, EgressExits.Plain], both.Earlier);
        Assert.Equal(EgressExits.Plain, both.Now);
    }

    [Fact]
    public void Where_there_are_no_gateways_any_more_who_left_by_one_has_moved()
    {
        var moves = new EgressMoves();
        moves.Put(Pod, Its, Anywhere);
        moves.Put(new(Kinds.Pod, new("alpha", "b")), Its with { Addresses = [Address.Parse("192.168.1.3")] }, EgressExits.Plain);
        moves.Take();
        moves.End();
        Assert.Equal([Its.Addresses[0]], moves.Take().Keys);
    }

    [Theory]
    [InlineData(Source, "198.51.100.1", true)]
    [InlineData(Source, "192.168.7.7", false)]
    [InlineData(Source, "169.254.1.1", false)]
    [InlineData("192.168.1.3", "198.51.100.1", false)]
    [InlineData("198.51.100.1", Source, false)]
    public void What_stays_inside_and_what_others_have_begun_is_not_looked_at(string source, string server, bool isConcerned)
    {
        var scope = new EgressMovedScope(
            new Dictionary<Address, EgressMove> { [Its.Addresses[0]] = new([], Anywhere) }, [Prefix.Parse("192.168.0.0/16")],
            KernelSnapshot.Empty, null);
        Assert.Equal(isConcerned, scope.Concerns(new Connection(Address.Parse(source), Address.Parse("10.96.0.9"), 6, false)
        {
            Server = Address.Parse(server),
        }));
    }
}
