using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>
/// Objects that are in force over what the sources say, and in this process alone: until somebody confirms them, or their time is up. A
/// restart forgets them all; a process that takes over (<see cref="HandedTrial"/>) has them. Thread-safe.
/// </summary>
public interface ITrials
{
    TrialState State { get; }

    /// <summary>All that the file says comes into force at once; or nothing does.</summary>
    /// <param name="file">As messages call it.</param>
    /// <param name="text">YAML or JSON, as <c>kubectl apply</c> takes it.</param>
    /// <param name="within">It is taken back after this time, unless it was confirmed.</param>
    Task<TrialResult> TryAsync(string file, ReadOnlyMemory<byte> text, TimeSpan within);

    /// <summary>What is tried stays until the daemon restarts, or until its source says something else of an object.</summary>
    Task<TrialResult> ConfirmAsync();

    /// <summary>What is tried is taken back at once; where nothing is, all that was confirmed.</summary>
    Task<TrialResult> RevertAsync();
}

/// <param name="IsConfirmed">It is not taken back when the time is up.</param>
/// <param name="IsMasking">Its source has said something else of it since it was tried, which does not count.</param>
public sealed record TrialObject(ResourceId Id, string File, bool IsConfirmed, bool IsMasking);

/// <param name="Until">When what is not confirmed is taken back; null: all is confirmed, or there is nothing.</param>
public sealed record TrialState(ImmutableArray<TrialObject> Objects, DateTimeOffset? Until)
{
    public static readonly TrialState None = new([], null);
}

/// <summary>A file that is tried, or whose objects were confirmed, as it goes over into another process.</summary>
/// <param name="Text">As it was given: it is read again.</param>
/// <param name="Until">When it is taken back; null: it was confirmed.</param>
/// <param name="Objects">Those of the file that are in force, as messages call them.</param>
/// <param name="Masking">Those of them whose sources have said something else since.</param>
public sealed record HandedTrial(
    string File, byte[] Text, DateTimeOffset? Until, ImmutableArray<string> Objects, ImmutableArray<string> Masking);

public enum TrialOutcome : byte
{
    Done,
    /// <summary>Nothing of the file is put into force.</summary>
    Refused,
    /// <summary>Another one is being tried.</summary>
    Busy,
    /// <summary>Nothing is being tried.</summary>
    Nothing,
}

/// <param name="Words">Why it is not done.</param>
/// <param name="Objects">Whom it was done to.</param>
public sealed record TrialResult(TrialOutcome Outcome, string Words, ImmutableArray<TrialObject> Objects, TrialState State);
