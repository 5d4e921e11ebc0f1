using System.Text.RegularExpressions;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// What names of workloads' interfaces begin with (FelixConfiguration's interfacePrefix) outlives the daemon and the machine: at a start
/// without an earlier run's table workloads are closed before the sources have said what they are. There is no file where it is Calico's
/// own <c>cali</c>. One that cannot be written is said, and one that nobody has written so counts as none.
/// </summary>
internal sealed partial class KnownWorkloads(string path, ILogger<KnownWorkloads> log)
{
    private const char Between = ',';

    private ListOf<string>? known;

    public static string FileIn(string folder) => Path.Combine(folder, "interface-prefix");

    [GeneratedRegex(@"\A[a-zA-Z0-9_-]{1,15}(,[a-zA-Z0-9_-]{1,15})*\n?\z")]
    private static partial Regex Written();

    /// <summary>As an earlier run has heard it last; none: Calico's own.</summary>
    public ListOf<string> Read()
    {
        try
        {
            return File.Exists(path) && File.ReadAllText(path) is var text && Written().IsMatch(text)
                ? [.. text.TrimEnd().Split(Between)] : [];
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            log.WorkloadsNotKnown(path, refused.Message);
            return [];
        }
    }

    /// <summary>What the sources say of a node.</summary>
    public void Keep(ResourceSnapshot objects, string node)
    {
        var felix = FelixConfiguration.Effective(Of(FelixConfiguration.Default), Of(FelixConfiguration.NodePrefix + node));
        if (known != felix.InterfacePrefixes) Keep(felix.InterfacePrefixes);

        FelixConfiguration? Of(string name) => (FelixConfiguration?)objects.Find(new(Kinds.FelixConfiguration, new(name)));
    }

    private void Keep(ListOf<string> prefixes)
    {
        known = prefixes;
        try
        {
            if (prefixes == Read()) return;
            if (prefixes.Count == 0)
            {
                File.Delete(path);
                return;
            }
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var beside = path + ".new";
            File.WriteAllText(beside, string.Join(Between, prefixes) + "\n");
            File.Move(beside, path, overwrite: true);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            log.WorkloadsNotKnown(path, refused.Message);
        }
    }
}
