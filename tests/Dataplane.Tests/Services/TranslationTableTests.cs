using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Tests.Services;

public sealed class TranslationTableTests
{
    private readonly TranslationTable table = new();

    private static Translation To(string backend, ushort port = 80) => new("", TranslationKind.Vip,
        new(TranslationPlace.Of(Address.Parse("30.0.0.2")), IpProtocol.Tcp, port),
        [new(Backend.Unchanged, new(TranslationPlace.Of(Address.Parse(backend)), 8080))]);

    [Fact]
    public void A_key_that_is_put_again_keeps_its_id_and_what_is_the_same_touches_nothing()
    {
        var id = table.Put(TranslationSource.Cli, To("20.0.0.1"));
        Assert.Single(table.TakeTouched());
        Assert.Equal(id, table.Put(TranslationSource.Cli, To("20.0.0.1")));
        Assert.Empty(table.TakeTouched());
        Assert.Equal(id, table.Put(TranslationSource.Cli, To("20.0.0.2")));
        Assert.Equal([To("20.0.0.1").Key], table.TakeTouched());
        Assert.Equal(id + 1, table.Put(TranslationSource.Cli, To("20.0.0.2", 81)));
    }

    [Fact]
    public void Of_two_sources_with_one_key_the_first_holds_until_it_goes()
    {
        var cli = table.Put(TranslationSource.Cli, To("20.0.0.1"));
        table.PutAll(TranslationSource.File, [To("20.0.0.2")]);
        Assert.Equal([(cli, false), (cli + 1, true)], table.Rows.Select(row => (row.Id, row.InForce)));
        Assert.False(table.Remove(TranslationSource.Cli, cli + 1));
        table.PutAll(TranslationSource.File, []);
        Assert.Equal(To("20.0.0.1"), table.Holder(To("20.0.0.1").Key)?.Translation);
        Assert.True(table.Row(cli)!.InForce);
        Assert.True(table.Remove(TranslationSource.Cli, cli));
        Assert.Empty(table.Rows);
    }
}
