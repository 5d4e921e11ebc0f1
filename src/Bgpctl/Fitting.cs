// How wide each column of a grid may be on a terminal of some width: as wide as its widest cell, else so that no word is broken; where
// even that is too wide, the grid is no table there.

namespace Calico.Bgp.Bgpctl;

internal static class Fitting
{
    /// <summary>The columns' widths; null: there is no table as narrow as that.</summary>
    /// <param name="room">For the cells, without what stands between them.</param>
    public static int[]? Widths(Grid grid, int room)
    {
        var columns = Enumerable.Range(0, grid.Columns.Count).ToArray();
        var wanted = columns.Select(at => Widest(grid, at, text => text.Length)).ToArray();
        var least = columns.Select(at => Widest(grid, at, Lines.LongestWord)).ToArray();
        if (least.Sum() > room) return null;
        return Share(least, wanted, room);
    }

    private static int Widest(Grid grid, int at, Func<string, int> width) =>
        grid.Rows.Select(row => width(row[at].Text)).Append(width(grid.Columns[at].Heading)).Max();

    private static int[] Share(int[] least, int[] wanted, int room)
    {
        var widths = least.ToArray();
        for (var spare = room - widths.Sum(); spare > 0; spare--)
        {
            var neediest = -1;
            for (var at = 0; at < widths.Length; at++)
                if (widths[at] < wanted[at] && (neediest < 0 || widths[at] < widths[neediest])) neediest = at;
            if (neediest < 0) break;
            widths[neediest]++;
        }
        return widths;
    }
}
