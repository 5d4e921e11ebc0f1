using Calico.Bgp.Dataplane.Policies.Lint;
using Calico.Bgp.Dataplane.Tests.Dns;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Tests.Policies;

public class RuleCoverTests
{
    private static PolicyRule To(string names) => new()
    {
        Destination = names.Length == 0 ? RuleEntity.Any
            : new() { In = RuleEntity.Nobody, Domains = [.. names.Split(' ').Select(DomainSetsTests.Pattern)] },
    };

    [Theory]
    [InlineData("a.example b.example", "b.example", true)]
    [InlineData("a.example", "a.example", true)]
    [InlineData("a.example", "b.example", false)]
    [InlineData("a.example", "a.example b.example", false)]
    [InlineData("a.example", "", false)]
    [InlineData("", "a.example", true)]
    public void A_rule_by_names_covers_one_whose_names_it_has_all(string rule, string other, bool covers) =>
        Assert.Equal(covers, To(rule).Covers(To(other)));
}
