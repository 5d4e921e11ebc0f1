using System.Text;

namespace Calico.Bgp.Control.Bird;

/// <summary>
/// Cuts what a client sends into commands: one a line, at most 4094 octets, carriage returns ignored. Several may come at once;
/// they are handed out in their order.
/// </summary>
internal sealed class RequestReader(Stream from)
{
    private const int Longest = 4094;

    private readonly byte[] received = new byte[4096];
    private readonly byte[] line = new byte[Longest];
    private int at, end;

    /// <summary>Null: the client has closed. Too long a line is skipped to its end, and <paramref name="Line"/> is null.</summary>
    internal readonly record struct Request(string? Line);

    public async ValueTask<Request?> ReadAsync(CancellationToken stop)
    {
        var length = 0;
        while (true)
        {
            if (at == end)
            {
                at = 0;
                end = await from.ReadAsync(received, stop).ConfigureAwait(false);
                if (end == 0) return null;
            }
            var octet = received[at++];
            if (octet == '\n') return new(length <= Longest ? Encoding.UTF8.GetString(line, 0, length) : null);
            if (octet == '\r') continue;
            if (length < Longest) line[length] = octet;
            length = Math.Min(length + 1, Longest + 1);
        }
    }
}
