// Resources as text. The cases need no more of YAML than where a document begins, which object it is, and to add or drop whole lines.
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Golden;

/// <param name="Kind"></param>
/// <param name="Name"></param>
/// <param name="Text">The document.</param>
internal sealed partial record Manifest(string Kind, string Name, string Text)
{
    public static Manifest Of(string text) => new(Group(KindLine(), text, "kind"), Group(NameLine(), text, "metadata.name"), text);

    public static IEnumerable<Manifest> Load(string file) => Split(File.ReadAllText(file)).Select(one => Of(WithoutStatus(one.Text)));

    /// <summary>The documents of a file.</summary>
    public static IEnumerable<Manifest> Split(string text) =>
        DocumentLine().Split(text).Where(document => document.Trim().Length > 0).Select(Of);

    /// <summary>A line under <c>spec:</c>.</summary>
    public Manifest WithSpec(string line) => this with { Text = SpecLine().Replace(Text, $"spec:\n  {line}\n", 1) };

    /// <summary>An API server takes no status from whoever applies an object.</summary>
    private static string WithoutStatus(string text) => StatusLines().Replace(text, "");

    private static string Group(Regex expression, string text, string what) =>
        expression.Match(text) is { Success: true } match
            ? match.Groups[1].Value : throw new InvalidDataException($"a document without {what}:\n{text}");

    [GeneratedRegex(@"^---\s*$", RegexOptions.Multiline)]
    private static partial Regex DocumentLine();

    [GeneratedRegex(@"^kind:\s*""?([A-Za-z]+)", RegexOptions.Multiline)]
    private static partial Regex KindLine();

    [GeneratedRegex(@"^metadata:\s*(?:\n(?:[ #].*\n)*?  |\{\s*)name:\s*""?([^\s"",}]+)", RegexOptions.Multiline)]
    private static partial Regex NameLine();

    [GeneratedRegex(@"^spec:[ ]*\n", RegexOptions.Multiline)]
    private static partial Regex SpecLine();

    [GeneratedRegex(@"^status:.*\n(?:[ #].*\n?)*", RegexOptions.Multiline)]
    private static partial Regex StatusLines();
}

/// <summary>What a cluster holds: one object of a kind and name, whoever applied it last.</summary>
internal sealed class Cluster
{
    private readonly List<Manifest> objects = [];

    public IEnumerable<Manifest> Objects => objects;

    public Cluster Apply(params IEnumerable<Manifest> manifests)
    {
        foreach (var manifest in manifests)
        {
            objects.RemoveAll(one => one.Kind == manifest.Kind && one.Name == manifest.Name);
            objects.Add(manifest);
        }
        return this;
    }

    public Cluster Delete(string kind, string name) =>
        objects.RemoveAll(one => one.Kind == kind && one.Name == name) == 1
            ? this : throw new InvalidDataException($"no {kind}/{name} to delete");

    public Cluster Change(string kind, string name, Func<Manifest, Manifest> change) =>
        Apply(change(objects.Single(one => one.Kind == kind && one.Name == name)));
}
