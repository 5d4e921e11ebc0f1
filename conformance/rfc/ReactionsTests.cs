// The table of malformed and unusual messages with the reactions that the RFCs ask for, thrown at the daemon by the program that lies
// beside the project with it.
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Rfc;

/// <summary>These measure reactions within fractions of a second, so nothing else runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed partial class ReactionsTests
{
    private const string Table = "data/wire/reactions.tsv", Thrower = "lab/reactions.py";

    [NeedsFact(Needs.Shared + Table, Needs.Shared + Thrower, Needs.Daemon, "python3", "birdc")]
    public async Task Every_message_of_the_table_gets_the_reaction_that_its_RFC_asks_for()
    {
        var answer = await Shell.RunAsync("python3", SharedData.Get(Thrower), SharedData.Get(Table),
            "--project", $"{Project.Daemon} --config {{config}}");
        Assert.True(AllPassed().IsMatch(answer.Output.TrimEnd()), answer.Output + answer.Errors);
    }

    [GeneratedRegex("^[1-9][0-9]* passed, 0 failed$")]
    private static partial Regex AllPassed();
}
