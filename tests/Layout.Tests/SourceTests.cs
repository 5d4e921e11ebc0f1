namespace Calico.Bgp.Layout.Tests;

/// <summary>What every source file promises, whoever wrote it.</summary>
public class SourceTests
{
    [Fact]
    public void Nothing_is_left_unwritten() =>
        Assert.Equal([], Files(file => !IsThisFile(file) && Contains(file, "NotImplementedException")));

    [Fact]
    public void No_file_is_longer_than_500_lines() =>
        Assert.Equal([], Files(file => File.ReadLines(Tree.Path(file)).Count() > 500));

    [Fact]
    public void Beside_the_kernel_room_the_tables_memory_knows_libc_and_the_sessions_sockets_know_its_numbers() =>
        Assert.Equal(
            ["src/Net/TableMemory.cs", "src/Session/TcpOptions.cs"],
            Files(file => IsIn("src/", file) && !IsIn("src/Kernel/", file) && Contains(file, "Tmds.Linux")));

    [Fact]
    public void Nobody_declares_what_of_libc_is_Tmds_LibCs() =>
        // kill(2) is not among them, and the machine, which needs it, is no room.
        Assert.Equal(["machine/Libc.cs"], Files(file => !IsThisFile(file)
            && (Contains(file, "LibraryImport") || Contains(file, "DllImport"))));

    [Fact]
    public void Time_comes_from_a_TimeProvider() =>
        Assert.Equal([], Files(file => IsIn("src/", file)
            && (Contains(file, "DateTime.Now") || Contains(file, "DateTime.UtcNow") || Contains(file, "DateTimeOffset.UtcNow"))));

    [Fact]
    public void Whatever_lives_on_is_a_Loop_with_a_policy_for_its_defect() =>
        Assert.Equal(
            ["src/Net/Loops.cs"],
            Files(file => IsIn("src/", file)
                && (Contains(file, "Task.Run(") || Contains(file, "new Thread(") || Contains(file, "LongRunning") || Contains(file, "StartNew("))));

    private static IEnumerable<string> Files(Func<string, bool> which) => Tree.Sources.Where(which).Order();

    private static bool IsIn(string folder, string file) => file.StartsWith(folder, StringComparison.Ordinal);

    private static bool Contains(string file, string word) => File.ReadAllText(Tree.Path(file)).Contains(word, StringComparison.Ordinal);

    private static bool IsThisFile(string file) => file.EndsWith(nameof(SourceTests) + ".cs", StringComparison.Ordinal);
}
