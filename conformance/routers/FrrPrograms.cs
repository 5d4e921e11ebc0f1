namespace Calico.Bgp.Conformance.Routers;

/// <summary>FRR's zebra and bgpd in a lab of its own making, with a configuration that no <see cref="RouterSpec"/> says.</summary>
internal static class FrrPrograms
{
    /// <param name="space">Where they run.</param>
    /// <param name="folder">For their files; they run as the user frr, to whom a folder in it belongs.</param>
    /// <param name="configuration">bgpd's.</param>
    public static async Task<Background[]> StartAsync(Netns space, Scratch folder, string configuration)
    {
        var own = Directory.CreateDirectory(folder.PathOf("frr")).FullName;
        var zserv = Path.Combine(own, "zserv");
        File.SetUnixFileMode(own, (UnixFileMode)0b111_111_111);
        var zebra = Background.Start(
            space, folder.PathOf("zebra.log"), null, "/usr/lib/frr/zebra", "-P", "0", "-f", folder.Write("zebra.conf", ""),
            "-i", Path.Combine(own, "zebra.pid"), "-z", zserv, "--vty_socket", own);
        try
        {
            await Until.TrueAsync("zebra answers", () => File.Exists(zserv), 20, () => zebra.Said);
        }
        catch
        {
            await zebra.DisposeAsync();
            throw;
        }
        var bgpd = Background.Start(
            space, folder.PathOf("frr.log"), null, "/usr/lib/frr/bgpd", "-P", "0", "-f", folder.Write("frr.conf", configuration),
            "-i", Path.Combine(own, "bgpd.pid"), "-z", zserv, "--vty_socket", own, "--log", "stdout");
        return [zebra, bgpd];
    }
}
