namespace Calico.Bgp.Net.Tests;

public class ChunkedQueueTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_is_a_queue_whatever_goes_in_and_comes_out_when(int seed)
    {
        var random = new Random(seed);
        var (queue, model) = (new ChunkedQueue<int>(), new Queue<int>());
        for (var step = 0; step < 3000; step++)
        {
            for (var i = random.Next(random.Next(4) == 0 ? 5000 : 50); i > 0; i--)
            {
                var item = random.Next();
                queue.Enqueue(item);
                model.Enqueue(item);
            }
            var most = random.Next(1, random.Next(2) == 0 ? 10 : 6000);
            var taken = queue.Take(most);
            Assert.InRange(taken.Length, model.Count == 0 ? 0 : 1, most);
            foreach (var item in taken) Assert.Equal(model.Dequeue(), item);
            if (random.Next(3) == 0) Assert.Equal(model.TryDequeue(out var expected) ? (true, expected) : (false, 0),
                (queue.TryDequeue(out var got), got));
            while (random.Next(200) == 0 && model.Count > 0) Assert.Equal(model.Dequeue(), queue.Take(1)[0]);
            Assert.Equal(model.Count, queue.Count);
        }
    }
}
