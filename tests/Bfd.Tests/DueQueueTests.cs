using Calico.Bgp.Net;

namespace Calico.Bgp.Bfd.Tests;

public class DueQueueTests
{
    /// <summary>Against what is searched for from end to end, in a thousand steps.</summary>
    [Fact]
    public void The_first_is_due_before_all_others_whatever_was_added_moved_and_removed()
    {
        var (queue, all, random) = (new DueQueue(), new List<Watched>(), new Random(1));
        for (var step = 0; step < 1000; step++)
        {
            if (all.Count < 5 || random.Next(4) == 0)
            {
                all.Add(Made(random));
                queue.Add(all[^1]);
            }
            else if (random.Next(3) == 0)
            {
                var gone = all[random.Next(all.Count)];
                all.Remove(gone);
                queue.Remove(gone);
            }
            else
            {
                var moved = all[random.Next(all.Count)];
                moved.Session.Sent(random.NextInt64(1_000_000_000_000));
                queue.Move(moved);
            }
            Assert.Equal(all.Min(one => one.Session.Due), queue.First!.Session.Due);
        }
    }

    private static Watched Made(Random random)
    {
        var target = new BfdTarget(new(Address.Parse("10.0.0.2"), 2, false), BfdTimes.Default);
        var session = new BfdSession(7, BfdTimes.Default, random, random.NextInt64(1_000_000_000_000));
        return new(target, session, new(target, random), DateTimeOffset.UnixEpoch);
    }
}
