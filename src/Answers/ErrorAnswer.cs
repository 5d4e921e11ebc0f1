namespace Calico.Bgp.Answers;

/// <summary>What a request is answered with that cannot be carried out: programs look at the code, people at the message.</summary>
/// <param name="Message">What was expected, and what came.</param>
/// <param name="Where">What it is about: a place in a file (FILE:LINE:COLUMN), a key of the query, or the request's path.</param>
public sealed record ErrorAnswer(AnswerCode Code, string Message, string Where);
