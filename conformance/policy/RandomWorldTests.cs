namespace Calico.Bgp.Conformance.Policy;

/// <summary>Worlds by chance: what is asked in them is worth asking.</summary>
public sealed class RandomWorldTests
{
    private static readonly PodPlace[] Pods =
    [
        new("red", "a"), new("red", "b"), new("blue", "c"), new("blue", "d"), new("red", "e", 2), new("blue", "f", 2),
    ];

    [Fact]
    public void Worlds_by_chance_let_packets_pass_and_stop_others_in_every_program()
    {
        var town = new Town(Pods);
        var words = new Dictionary<(Program, bool), int>();
        for (var seed = 1; seed <= 200; seed++)
        {
            var world = new RandomWorld(seed, town);
            Assert.Equal(world.Objects, new RandomWorld(seed, town).Objects);
            for (var edit = 0; edit < 3; edit++) world.Edit();
            var judge = new Judge(new(world.Objects), "node1", Place.Links);
            foreach (var word in world.Probes(100).SelectMany(probe => judge.Ask(town.PacketOf(probe)!).Words))
                if (word.Allows is { } allows)
                    words[(word.Program, allows)] = words.GetValueOrDefault((word.Program, allows)) + 1;
        }
        Assert.All(HostMatrix.Columns.SelectMany(program => new[] { true, false }.Select(allows => (program, allows))),
            word => Assert.True(words.GetValueOrDefault(word) > 10, $"{word}: {words.GetValueOrDefault(word)} times"));
    }
}
