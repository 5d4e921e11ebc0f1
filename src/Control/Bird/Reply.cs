using System.Buffers;
using System.Globalization;
using System.Text;

namespace Calico.Bgp.Control.Bird;

/// <summary>
/// Writes the lines of one client's answers. A line is four digits, a sign and the text; the sign is <c>-</c> while more lines
/// follow, and a space on an answer's last line. A line that repeats the code of the line before it has one space instead of
/// all five characters, which is how clients tell continuation from news.
/// </summary>
/// <remarks>
/// Lines gather until <see cref="FlushAsync"/>, so what goes to the socket always ends with a whole line: log echoes may be put between.
/// </remarks>
internal sealed class Reply(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> send)
{
    private const int Enough = 16 * 1024;

    private readonly ArrayBufferWriter<byte> lines = new(Enough + 1024);
    private ReplyCode? previous;

    /// <summary>A line that others follow.</summary>
    public void Line(ReplyCode code, string text)
    {
        if (code == previous) Write(" ");
        else Write(code, '-');
        previous = code;
        Write(text);
        Write("\n");
    }

    /// <summary>The answer's last line.</summary>
    public void End(ReplyCode code, string text = "")
    {
        Write(code, ' ');
        previous = null;
        Write(text);
        Write("\n");
    }

    /// <summary>For answers of any length: sends once enough has gathered, and so waits for a slow reader.</summary>
    public ValueTask FlushIfEnoughAsync(CancellationToken stop) => lines.WrittenCount < Enough ? default : FlushAsync(stop);

    public async ValueTask FlushAsync(CancellationToken stop)
    {
        if (lines.WrittenCount == 0) return;
        await send(lines.WrittenMemory, stop).ConfigureAwait(false);
        lines.ResetWrittenCount();
    }

    private void Write(ReplyCode code, char sign) => Write(string.Create(CultureInfo.InvariantCulture, $"{(int)code:0000}{sign}"));

    private void Write(string text) => Encoding.UTF8.GetBytes(text, lines);
}
