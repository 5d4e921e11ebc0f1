using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// What Kubernetes' services had, and have no longer: where the address was announced, routers elsewhere send to it until they have heard
/// of its withdrawal, and so long its translation stays. Where it was not, there is nobody to wait for. Belongs to the dataplane's loop.
/// </summary>
internal sealed class LeavingTranslations(TranslationTable table, TimeProvider clock)
{
    /// <summary>Until when; null: nobody has said yet whether the address was announced.</summary>
    private readonly Dictionary<TranslationKey, long?> until = [];

    public TimeSpan? Due
    {
        get
        {
            if (until.Values.Min() is not { } first) return null;
            var left = clock.GetElapsedTime(clock.GetTimestamp(), first);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Null: it does not leave.</summary>
    public TimeSpan? Left(TranslationKey key) =>
        until.GetValueOrDefault(key) is { } at ? clock.GetElapsedTime(clock.GetTimestamp(), at) : null;

    /// <summary>Kubernetes has it no longer.</summary>
    public void Go(TranslationKey key)
    {
        table.Leave(key);
        until[key] = null;
    }

    /// <summary>Kubernetes has it again, or somebody else's may hold.</summary>
    public void Forget(TranslationKey key)
    {
        if (until.Remove(key)) table.Remove(TranslationSource.Leaving, key);
    }

    public void Clear()
    {
        foreach (var key in until.Keys.ToArray()) Forget(key);
    }

    /// <summary>Of those that have gone since this was last said: whose address was announced stays, and all others go.</summary>
    /// <returns>Whether any go.</returns>
    public bool Withdrawn(ImmutableHashSet<Address> announced, TimeSpan stay)
    {
        var others = false;
        foreach (var key in until.Where(one => one.Value == null).Select(one => one.Key).ToArray())
            if (key.Place.Address is { } address && announced.Contains(address) && stay > TimeSpan.Zero)
                until[key] = clock.GetTimestamp() + (long)(stay.TotalSeconds * clock.TimestampFrequency);
            else
            {
                Forget(key);
                others = true;
            }
        return others;
    }

    /// <summary>Those whose time is over go.</summary>
    public void Expire()
    {
        var now = clock.GetTimestamp();
        foreach (var key in until.Where(one => one.Value <= now).Select(one => one.Key).ToArray()) Forget(key);
    }
}
