using System.Text;

namespace Calico.Bgp.Bgpctl.Tests;

public sealed class LineEditorTests
{
    private static readonly Dictionary<string, string[]> Grammar = new()
    {
        [""] = ["show", "session", "translation"],
        ["show "] = ["translation", "session"],
        ["show session "] = ["verbose", "max"],
        ["show session max "] = ["NUMBER"],
        ["translation "] = ["ID", "add", "del"],
    };

    private readonly StringBuilder shown = new();

    /// <summary>Letters stand for themselves; ^X for Control, &lt;…&gt; for other keys.</summary>
    private string?[] Type(string keys, int lines = 1, int width = 80)
    {
        var typed = Typed.Keys(keys).GetEnumerator();
        var editor = new LineEditor(
            () => typed.MoveNext() ? typed.Current : throw new InvalidOperationException("nobody types any more"),
            new StringWriter(shown), () => width, "> ", said => Grammar.GetValueOrDefault(said, []));
        return [.. Enumerable.Range(0, lines).Select(_ => editor.Read())];
    }

    [Theory]
    [InlineData("show<Enter>", "show")]
    [InlineData("shw<LeftArrow>o<Enter>", "show")]
    [InlineData("how<Home>s<Enter>", "show")]
    [InlineData("how^As^E!<Enter>", "show!")]
    [InlineData("^A^B^B^Fx<LeftArrow><LeftArrow><RightArrow><RightArrow>y<Enter>", "xy")]
    [InlineData("showx<Backspace><Enter>", "show")]
    [InlineData("<Backspace><Delete>a^H^Hb<Enter>", "b")]
    [InlineData("xshow<Home><Delete><Enter>", "show")]
    [InlineData("xshow<Home>^D<Enter>", "show")]
    [InlineData("one two^U<Enter>", "")]
    [InlineData("one two<Home>^K<Enter>", "")]
    [InlineData("one two  ^Wthree<Enter>", "one three")]
    [InlineData("one two~B~Bx~Fy~Fz~F<Enter>", "xoney twoz")]
    [InlineData("one two three~B~B~D~x<Enter>", "one  three")]
    [InlineData("one^Ctwo<Enter>", "two")]
    [InlineData("one^Ltwo<Enter>", "onetwo")]
    public void A_line_is_edited_as_in_a_shell(string keys, string line) => Assert.Equal(line, Assert.Single(Type(keys)));

    [Fact]
    public void Control_D_ends_where_the_line_is_empty() => Assert.Null(Assert.Single(Type("^D")));

    [Theory]
    [InlineData("a<Enter>b<Enter><UpArrow><Enter>", "b")]
    [InlineData("a<Enter>b<Enter><UpArrow><UpArrow><UpArrow><Enter>", "a")]
    [InlineData("a<Enter>b<Enter>new<UpArrow><UpArrow><DownArrow><DownArrow><DownArrow>!<Enter>", "new!")]
    [InlineData("a<Enter>b<Enter>^P^P^N<Enter>", "b")]
    [InlineData("a<Enter>b<Enter>new<UpArrow>2<Enter>", "b2")]
    public void What_was_said_before_is_fetched_back(string keys, string line) => Assert.Equal(line, Type(keys, 3)[^1]);

    [Fact]
    public void An_empty_line_and_the_same_again_are_not_remembered() =>
        Assert.Equal("a", Type("a<Enter>b<Enter>b<Enter> <Enter><UpArrow><UpArrow><Enter>", 5)[^1]);

    [Theory]
    [InlineData("t<Tab><Enter>", "translation ")]
    [InlineData("sh<Tab>SES<Tab>v<Tab><Enter>", "show session verbose ")]
    [InlineData("s<Tab><Enter>", "s")]
    [InlineData("show session max <Tab><Enter>", "show session max ")]
    [InlineData("show weather v<Tab><Enter>", "show weather v")]
    [InlineData("show  x<LeftArrow><LeftArrow>s<Tab><Enter>", "show session  x")]
    public void A_word_that_is_begun_is_ended_as_far_as_it_is_clear(string keys, string line) =>
        Assert.Equal(line, Assert.Single(Type(keys)));

    [Theory]
    [InlineData("s<Tab><Enter>", "\nshow  session\n")]
    [InlineData("translation <Tab><Enter>", "\nID  add  del\n")]
    [InlineData("translation ?<Enter>", "\nID  add  del\n")]
    [InlineData("show session max 5?<Enter>", "\nNUMBER\n")]
    public void Where_it_is_not_clear_what_may_come_is_shown(string keys, string list)
    {
        Type(keys);
        Assert.Contains(list, shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_line_that_is_longer_than_the_terminal_the_part_at_the_cursor_is_shown()
    {
        Type("abcdefgh<Enter>", width: 8);
        Assert.EndsWith("\r> defgh\e[K\r\e[7C\n", shown.ToString(), StringComparison.Ordinal);
    }
}

/// <summary>Keys, in a notation.</summary>
internal static class Typed
{
    /// <summary>Letters stand for themselves; ^X for Control, ~X for Alt, &lt;…&gt; for a key by its name.</summary>
    public static IEnumerable<ConsoleKeyInfo> Keys(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (text[i] == '^' && i + 1 < text.Length)
            {
                var which = text[++i] - 'A';
                yield return new((char)(which + 1), ConsoleKey.A + which, false, false, control: true);
            }
            else if (text[i] == '~' && i + 1 < text.Length)
            {
                var letter = char.ToUpperInvariant(text[++i]) - 'A';
                yield return new((char)('a' + letter), ConsoleKey.A + letter, false, alt: true, false);
            }
            else if (text[i] == '<')
            {
                var end = text.IndexOf('>', i);
                var key = Enum.Parse<ConsoleKey>(text[(i + 1)..end]);
                i = end;
                var letter = key switch
                {
                    ConsoleKey.Enter => '\r',
                    ConsoleKey.Tab => '\t',
                    ConsoleKey.Backspace => '\u007f',
                    _ => '\0',
                };
                yield return new(letter, key, false, false, false);
            }
            else yield return new(text[i], default, false, false, false);
    }
}
