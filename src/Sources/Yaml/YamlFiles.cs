using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>Manifests read once, without watching: for <c>bgpctl plan</c> and whoever else asks what a folder or file says.</summary>
public static class YamlFiles
{
    /// <summary>What these folders and files say together; of several that define one object the first counts. What is wrong stands in the
    /// snapshot's problems.</summary>
    public static ResourceSnapshot Load(params IReadOnlyList<string> paths)
    {
        var store = new ResourceStore(paths.Count);
        for (var source = 0; source < paths.Count; source++)
        {
            var folder = new YamlFolder(source, paths[source], TimeSpan.Zero, TimeProvider.System, FolderRules.Default);
            var contents = folder.Scan();
            // A file that changed while it was read is read again, a few times.
            for (var patience = 10; folder.Due != null && patience > 0; patience--) contents = contents.AddRange(folder.LookAgain());
            store.Apply(new(source, contents, new() { HasListed = true }));
        }
        return store.Current;
    }
}
