using Xunit.Abstractions;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>
/// Worlds by chance, and edits of them while packets are asked: pods, host endpoints, outside, services, sets, tiers, policies of every
/// kind. POLICY_WORLDS=200 asks for more of them, POLICY_SEED=7 for others.
/// </summary>
public sealed class RandomWorldTests(ITestOutputHelper output)
{
    private const int Edits = 4, Asked = 300;

    private static readonly PodPlace[] Pods =
    [
        new("red", "a"), new("red", "b"), new("blue", "c"), new("blue", "d"), new("red", "e", 2), new("blue", "f", 2),
    ];

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out var set) ? set : otherwise;

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

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_becomes_of_packets_is_what_the_judge_says()
    {
        await using var site = await PolicySite.MakeAsync(Pods);
        site.Town.Services.AddRange([
            new("near", "10.96.0.10", "fd96::10", 80, site.Town["red/a"], 80),
            new("far", "10.96.0.11", "fd96::11", 80, site.Town["blue/f"], 81),
            new("host", "10.96.0.12", "fd96::12", 80, site.Town["node1"], 443),
            new("local", "10.96.0.13", "fd96::13", 80, site.Town["blue/c"], 80) { IsLocal = true },
        ]);
        site.WriteServices();
        site.Write(site.Town.Objects());
        await site.StartAsync();
        var trial = new Trial(site);
        var first = Setting("POLICY_SEED", 1);
        for (var seed = first; seed < first + Setting("POLICY_WORLDS", 12); seed++)
        {
            var world = new RandomWorld(seed, site.Town);
            var edits = $"world {seed}";
            for (var edit = 0; edit <= Edits; edit++)
            {
                if (edit > 0) edits += ", " + world.Edit();
                await site.PutAsync(world.Objects);
                var wrong = await trial.WrongAsync(world.Objects, world.Probes(Asked));
                if (wrong.Count == 0) continue;
                output.WriteLine(world.Objects);
                Wrong.None(wrong.Prepend(edits));
            }
        }
        Wrong.None(trial.Late());
        output.WriteLine($"{trial.Passed} passed, {trial.Denied} were denied");
        Assert.True(trial.Passed > 1000 && trial.Denied > 1000, $"{trial.Passed} passed, {trial.Denied} were denied");
    }
}
