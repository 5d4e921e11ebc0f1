namespace Calico.Bgp.Lab;

/// <summary>Something that the lab needs of the machine and did not get, in words for the person who started it.</summary>
internal sealed class LabException(string message) : Exception(message);

/// <summary>What the lab cannot do without, said plainly before anything is touched.</summary>
internal static class Requirements
{
    public static string? Missing(string bgpd)
    {
        if (!OperatingSystem.IsLinux()) return "The lab is made of Linux network namespaces; this is not Linux.";
        if (Environment.UserName != "root") return "The lab needs root, to make network namespaces: sudo make run";
        if (Find("ip") == null) return "The lab needs the program 'ip' (Debian: apt-get install iproute2).";
        if (Find("ping") == null) return "The lab needs the program 'ping' (Debian: apt-get install iputils-ping).";
        return File.Exists(bgpd) ? null : $"There is no daemon at {bgpd}: make build";
    }

    public static string? Find(string program) =>
        "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin".Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
