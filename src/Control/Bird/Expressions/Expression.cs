namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>A parsed expression: its type, which is known before any route is looked at, and how to get its value.</summary>
/// <param name="Constant">It looks at no route; parts of sets and masks must be so.</param>
internal sealed record Expression(ValueKind Kind, Func<RouteContext, Value> Evaluate, bool Constant)
{
    public static Expression Of(Value constant) => new(constant.Kind, _ => constant, true);

    public bool IsTrue(RouteContext route) => Evaluate(route).IsTrue;

    /// <summary>The value of a constant one.</summary>
    public Value Fixed => Evaluate(RouteContext.None);
}
