using System.Diagnostics;
using System.Globalization;
using Calico.Bgp.Fuzz;

// fuzz TARGET SECONDS: as the tests do, with other damage every time, for as long as one likes.
if (args is not [var target, var seconds] || !FuzzTargets.All.ContainsKey(target)
    || !double.TryParse(seconds, CultureInfo.InvariantCulture, out var limit))
{
    Console.Error.WriteLine($"usage: fuzz TARGET SECONDS\ntargets: {string.Join(' ', FuzzTargets.All.Keys)}");
    return 2;
}

var fuzzing = new Fuzzing(target);
var mutator = Corpus.Mutator(target, Environment.TickCount);
for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started).TotalSeconds < limit && fuzzing.Findings.Count == 0;)
    for (var i = 0; i < 1000; i++) fuzzing.Run(mutator.Next());
Console.WriteLine(fuzzing);
foreach (var finding in fuzzing.Findings) Console.WriteLine(finding);
return fuzzing.Findings.Count == 0 ? 0 : 1;
