namespace Calico.Bgp.Bgpd;

/// <summary>
/// Standard input, output and error of a process that was started without some of them (<c>bgpd &lt;&amp;- &gt;&amp;- 2&gt;&amp;-</c>).
/// The next thing that is opened would get their numbers, be it a socket into which the log is written then; and .NET's console does not
/// come up without a descriptor 1 and 2.
/// </summary>
internal static class StandardStreams
{
    private const int Last = 2;

    /// <summary>Opens /dev/null until none of the three numbers is free: the system gives the lowest one that is.</summary>
    public static void Fill()
    {
        while (true)
        {
            // Shared: .NET locks (flock(2)) what others may not open meanwhile.
            var empty = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (empty.DangerousGetHandle() > Last)
            {
                empty.Dispose();
                return;
            }
            // It stays open for the process's life.
            empty.SetHandleAsInvalid();
        }
    }
}
