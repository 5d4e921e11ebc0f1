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
    public void Only_the_kernel_room_calls_libc_and_the_tables_memory_does() =>
        Assert.Equal([], Files(file => IsIn("src/", file) && !IsIn("src/Kernel/", file) && file != "src/Net/TableMemory.cs"
            && Contains(file, "Tmds.Linux")));

    [Fact]
    public void Nobody_declares_what_of_libc_is_Tmds_LibCs() =>
        Assert.Equal([], Files(file => !IsThisFile(file) && (Contains(file, "LibraryImport") || Contains(file, "DllImport"))));

    [Fact]
    public void Time_comes_from_a_TimeProvider() =>
        Assert.Equal([], Files(file => IsIn("src/", file)
            && (Contains(file, "DateTime.Now") || Contains(file, "DateTime.UtcNow") || Contains(file, "DateTimeOffset.UtcNow"))));

    private static IEnumerable<string> Files(Func<string, bool> which) => Tree.Sources.Where(which).Order();

    private static bool IsIn(string folder, string file) => file.StartsWith(folder, StringComparison.Ordinal);

    private static bool Contains(string file, string word) => File.ReadAllText(Tree.Path(file)).Contains(word, StringComparison.Ordinal);

    private static bool IsThisFile(string file) => file.EndsWith(nameof(SourceTests) + ".cs", StringComparison.Ordinal);
}
