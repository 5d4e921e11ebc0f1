namespace Calico.Bgp.Dataplane;

/// <summary>One thing that the dataplane does for packets; its parts stand in the one table that is ours, under names of its own.</summary>
internal interface IFeature
{
    /// <summary>What its parts' names begin with.</summary>
    string Name { get; }

    /// <summary>Whether it may make something of the change: cheap, and in doubt yes.</summary>
    bool Concerns(DataplaneChange change);

    /// <summary>Keeps what it knows, and marks what follows from that as dirty. Never waits, never asks the kernel.</summary>
    void Apply(DataplaneChange change);

    /// <summary>What follows from all that it was told.</summary>
    /// <returns>True: there is something to write.</returns>
    bool Look();

    /// <summary>
    /// Writes the parts that have changed since it last wrote; all of them, where the writer is fresh. The same input gives the same parts.
    /// </summary>
    void Write(PartsWriter into);

    /// <summary>What was written is in force, as far as the kernel takes it; or the table is gone.</summary>
    void InForce();

    /// <summary>How long until it is to be asked again by the clock alone; null: not by the clock.</summary>
    TimeSpan? Due { get; }
}
