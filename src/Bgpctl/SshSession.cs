// The SSH connection that bgpctl's user has come by: sshd says it to its session's programs in SSH_CONNECTION. sudo takes the variable
// away, so that the programs that bgpctl was called by are asked, too, from the nearest on.

using System.Globalization;
using System.Text;
using Calico.Bgp.Dataplane;

namespace Calico.Bgp.Bgpctl;

internal static class SshSession
{
    private const string Variable = "SSH_CONNECTION";

    /// <summary>What the variable says here and is no connection, so that the programs before are asked; null: nothing of that
    /// kind.</summary>
    public static string? Misunderstood =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } said && SshConnection.Parse(said) == null
            ? $"{Variable} is \"{said}\", which is no connection (expected CLIENT PORT SERVER PORT)" : null;

    /// <summary>Null: there is none, or nobody says so.</summary>
    public static SshConnection? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } said && SshConnection.Parse(said) is { } own) return own;
        // Of the first process (1) nobody has come by SSH.
        for (var process = Parent("self"); process > 1; process = Parent(process.ToString(CultureInfo.InvariantCulture)))
            if (Said(process) is { } connection) return connection;
        return null;
    }

    /// <summary>proc_pid_stat(5): the fourth field, behind a name in brackets that may have anything in it. 0: it cannot be read.</summary>
    private static int Parent(string process)
    {
        var stat = Read($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 && int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var parent) ? parent : 0;
    }

    private static SshConnection? Said(int process) =>
        Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/environ")).Split('\0')
            .Where(one => one.StartsWith(Variable + "=", StringComparison.Ordinal))
            .Select(one => SshConnection.Parse(one[(Variable.Length + 1)..])).OfType<SshConnection>().FirstOrDefault();

    /// <summary>Empty: it has ended, or is somebody else's.</summary>
    private static string Read(string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(file));
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
