namespace Calico.Bgp.Answers;

/// <summary>What is in force over what the sources say; also which objects <c>POST /v1/policy/{try|confirm|revert}</c> has done it
/// to.</summary>
/// <param name="Until">When what is not confirmed is taken back; null: there is nothing of that.</param>
public sealed record TrialAnswer(IReadOnlyList<TrialObjectAnswer> Objects, DateTimeOffset? Until)
{
    /// <summary>Octets of a file that is tried, at most.</summary>
    public const int LongestFile = 4 * 1024 * 1024;

    public static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);
}

/// <param name="Object"><c>KIND/NAMESPACE/NAME</c>.</param>
/// <param name="File">That it came from.</param>
/// <param name="IsConfirmed">It stays until the next start, or until its source says something else of it.</param>
/// <param name="IsMasking">Its source has said something else of it since it was tried, which does not count.</param>
public sealed record TrialObjectAnswer(string Object, string File, bool IsConfirmed, bool IsMasking);
