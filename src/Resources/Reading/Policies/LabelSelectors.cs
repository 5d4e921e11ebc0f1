using System.Text.RegularExpressions;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>Kubernetes' label selectors as Calico's.</summary>
internal static partial class LabelSelectors
{
    /// <summary>What every pod's endpoint has, and no other.</summary>
    public static readonly Selector OfPods = Selector.Equal(ProfileLabels.Orchestrator, "k8s");

    private enum Operator : byte { In, NotIn, Exists, DoesNotExist }

    [GeneratedRegex(@"\A([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\z")]
    private static partial Regex LabelKey();

    [GeneratedRegex(@"\A([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?\z")]
    private static partial Regex LabelValue();

    /// <summary>Pods by their own labels; absent: all of them.</summary>
    public static Selector Pods(Field field) => Read(field) is { } own ? OfPods.And(own) : OfPods;

    /// <summary>Namespaces by theirs, as the selector of what lies in them; none said: all namespaces. Null: absent.</summary>
    public static Selector? Namespaces(Field field)
    {
        var inANamespace = Selector.Has(ProfileLabels.Namespace);
        return Read(field)?.Prefixed(ProfileLabels.NamespacePrefix, inANamespace);
    }

    /// <summary>Null: absent.</summary>
    private static Selector? Read(Field field)
    {
        if (field.IsAbsent) return null;
        var section = field.Section();
        var all = Selector.All;
        foreach (var (key, value) in section["matchLabels"].Section().All.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            CheckKey(value, key);
            CheckValue(value, value.LabelText());
            all = all.And(Selector.Equal(key, value.LabelText()));
        }
        foreach (var item in section["matchExpressions"].Items()) all = all.And(Expression(item));
        section.RefuseOthers();
        return all;
    }

    private static Selector Expression(Field field)
    {
        var expression = field.Section();
        expression["key"].Require("a label's name");
        expression["operator"].Require(Choices<Operator>.Words);
        var key = expression["key"].Text();
        if (key != null) CheckKey(expression["key"], key);
        var values = expression["values"].List(Value);
        var how = expression["operator"].Choice<Operator>();
        if (how is Operator.In or Operator.NotIn && values.Count == 0) expression.Error("values", "expected one at least, got none");
        if (how is Operator.Exists or Operator.DoesNotExist && values.Count > 0)
            expression.Error("values", $"expected none beside {how}, got {values.Count}");
        expression.RefuseOthers();
        return how switch
        {
            // Of none the object is refused.
            _ when key == null => Selector.All,
            Operator.In => Selector.In(key, values),
            Operator.NotIn => Selector.In(key, values, negated: true),
            Operator.DoesNotExist => Selector.Has(key).Not(),
            _ => Selector.Has(key),
        };
    }

    private static void CheckKey(Field field, string key)
    {
        if (!LabelKey().IsMatch(key)) field.Error($"expected a label's name, got \"{key}\"");
    }

    private static string? Value(Field field)
    {
        field.Require("a label's value");
        if (field.IsAbsent) return null;
        CheckValue(field, field.LabelText());
        return field.LabelText();
    }

    private static void CheckValue(Field field, string value)
    {
        if (!LabelValue().IsMatch(value))
            field.Error($"expected a label's value of at most 63 letters, digits and _ . -, got \"{value}\"");
    }
}
