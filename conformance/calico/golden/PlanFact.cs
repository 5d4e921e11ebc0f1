namespace Calico.Bgp.Conformance.Golden;

/// <summary>A test that asks bgpctl.</summary>
internal sealed class PlanFactAttribute : FactAttribute
{
    public PlanFactAttribute() => Skip = Plan.Missing;
}

internal sealed class PlanTheoryAttribute : TheoryAttribute
{
    public PlanTheoryAttribute() => Skip = Plan.Missing;
}
