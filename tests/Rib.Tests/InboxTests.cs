namespace Calico.Bgp.Rib.Tests;

public class InboxTests
{
    [Fact]
    public async Task Nobody_waits_at_a_closed_inbox()
    {
        using var inbox = new Inbox();
        inbox.Close();
        await Task.Run(() => inbox.Wait(Timeout.Infinite)).WaitAsync(TimeSpan.FromSeconds(30));
    }
}
