using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Calico.Bgp.Layout.Tests;

/// <summary>
/// What is written is called by somebody in src: read from the compiled rooms, whose instructions name what they call. Tests do not count.
/// Asked are methods and properties' getters by their name and type; not asked what the runtime or the compiler calls by itself
/// (overrides, interfaces, operators, constructors, what a record brings).
/// </summary>
public sealed class CallersTests
{
    /// <summary>How tests wait for, look into or break what runs: nobody else has reason to.</summary>
    private static readonly string[] ForTests =
    [
        "Calico.Bgp.Bgpctl.Cell.FromString", // An implicit conversion's second name, which analyzers ask for.
        "Calico.Bgp.Control.Http.HttpControl.get_Addresses",
        "Calico.Bgp.Dataplane.RoutesInUse.get_Count",
        "Calico.Bgp.Dataplane.Sets.MemberSets.Names",
        "Calico.Bgp.Dataplane.Sets.MemberSets.get_AutomaticHostEndpoints",
        "Calico.Bgp.Kernel.KernelLoop.SettledAsync",
        "Calico.Bgp.Kernel.Netlink.NetlinkMessage.Raw",
        "Calico.Bgp.Kernel.Routes.OwnRows.get_Count",
        "Calico.Bgp.Kernel.Routes.RouteTargets.get_Count",
        "Calico.Bgp.Resources.ResourceFeed.TryRead",
        "Calico.Bgp.Rib.Filters.LivePrefixes.get_Current",
        "Calico.Bgp.Rib.Filters.PrefixPattern.Has", // What a set of patterns is held against.
        "Calico.Bgp.Rib.Rib.get_Sizes",
        "Calico.Bgp.Session.PeerSession.SettledAsync",
        "Calico.Bgp.Sources.Yaml.YamlFiles.Load",
        "Calico.Bgp.Speaker.Plan.Planner.WeightOf",
    ];

    /// <summary>What of an attribute can be read, whether or not anybody asks yet.</summary>
    private static readonly string[] Readings =
    [
        "Calico.Bgp.Wire.Attributes.AsPathView.get_First",
        "Calico.Bgp.Wire.Attributes.AsPathView.get_Last",
        "Calico.Bgp.Wire.Attributes.AttributeView.HasCommunity",
    ];

    /// <summary>What can be done already, and whose callers (graceful restart, policies) are to come.</summary>
    private static readonly string[] Awaited =
    [
        "Calico.Bgp.Dataplane.Policies.PolicyChains.get_Count",
    ];

    [Fact]
    public void Every_member_has_a_caller_in_src()
    {
        var files = Tree.Rooms.Select(room => Path.Combine(AppContext.BaseDirectory, AssemblyName(room) + ".dll")).ToArray();
        var (written, called) = (new HashSet<string>(), new HashSet<string>());
        foreach (var file in files) Read(file, written, called);
        Assert.Contains("Calico.Bgp.Net.Prefix.Contains", written);
        Assert.Contains("Calico.Bgp.Net.Prefix.Contains", called);
        var uncalled = written.Except(called).ToHashSet();
        string[] known = [.. ForTests, .. Readings, .. Awaited];
        Assert.Equal([], uncalled.Except(known).Order());
        // Who has found a caller, or has gone, leaves the list.
        Assert.Equal([], known.Where(name => !uncalled.Contains(name)).Order());
    }

    private static string AssemblyName(string room) => room is "Bgpd" or "Bgpctl" ? room.ToLowerInvariant() : "Calico.Bgp." + room;

    private static void Read(string file, HashSet<string> written, HashSet<string> called)
    {
        using var image = new PEReader(File.OpenRead(file));
        var metadata = image.GetMetadataReader();
        foreach (var handle in metadata.MethodDefinitions)
        {
            var method = metadata.GetMethodDefinition(handle);
            if (IsAsked(metadata, method) && !IsNamedByAnInterface(metadata, handle)) written.Add(Name(metadata, handle)!);
            if (method.RelativeVirtualAddress != 0)
                Calls(metadata, image.GetMethodBody(method.RelativeVirtualAddress).GetILReader(), called);
        }
    }

    private static bool IsAsked(MetadataReader metadata, MethodDefinition method)
    {
        var name = metadata.GetString(method.Name);
        return !method.Attributes.HasFlag(MethodAttributes.Virtual)
            && (!method.Attributes.HasFlag(MethodAttributes.SpecialName) || name.StartsWith("get_", StringComparison.Ordinal))
            && name != "get_EqualityContract"
            && !name.Contains('<', StringComparison.Ordinal)
            && !IsGenerated(metadata, method);
    }

    /// <summary>A static member of an interface is called through a type parameter, which names nobody.</summary>
    private static bool IsNamedByAnInterface(MetadataReader metadata, MethodDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(metadata.GetMethodDefinition(handle).GetDeclaringType());
        foreach (var implementation in type.GetMethodImplementations())
            if (metadata.GetMethodImplementation(implementation).MethodBody == handle) return true;
        return false;
    }

    /// <summary>A type that the compiler or a generator wrote, and what a record brings along; an automatic property is ours.</summary>
    private static bool IsGenerated(MetadataReader metadata, MethodDefinition method)
    {
        for (var type = method.GetDeclaringType(); !type.IsNil; type = metadata.GetTypeDefinition(type).GetDeclaringType())
        {
            var definition = metadata.GetTypeDefinition(type);
            if (metadata.GetString(definition.Name).Contains('<', StringComparison.Ordinal)) return true;
            if (Bears(metadata, definition.GetCustomAttributes(), "CompilerGeneratedAttribute", "GeneratedCodeAttribute")) return true;
        }
        var isAutomatic = metadata.GetString(method.Name).StartsWith("get_", StringComparison.Ordinal);
        var marks = method.GetCustomAttributes();
        return Bears(metadata, marks, "GeneratedCodeAttribute") || (!isAutomatic && Bears(metadata, marks, "CompilerGeneratedAttribute"));
    }

    private static bool Bears(MetadataReader metadata, CustomAttributeHandleCollection attributes, params string[] names)
    {
        foreach (var handle in attributes)
        {
            var parent = metadata.GetCustomAttribute(handle).Constructor is { Kind: HandleKind.MemberReference } constructor
                ? metadata.GetMemberReference((MemberReferenceHandle)constructor).Parent : default;
            if (!parent.IsNil && parent.Kind == HandleKind.TypeReference
                && names.Contains(metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)parent).Name))) return true;
        }
        return false;
    }

    private static void Calls(MetadataReader metadata, BlobReader code, HashSet<string> called)
    {
        while (code.RemainingBytes > 0)
        {
            int instruction = code.ReadByte();
            if (instruction == 0xfe) instruction = 0xfe00 | code.ReadByte();
            switch (Instructions.OperandOf(instruction))
            {
                case Operand.Token:
                    var token = MetadataTokens.EntityHandle(code.ReadInt32());
                    if (Name(metadata, token) is { } name) called.Add(name);
                    break;
                case Operand.Switch:
                    var targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case var operand:
                    code.Offset += (int)operand;
                    break;
            }
        }
    }

    private static string? Name(MetadataReader metadata, EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.MethodDefinition:
                var method = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                return $"{TypeName(metadata, method.GetDeclaringType())}.{metadata.GetString(method.Name)}";
            case HandleKind.MethodSpecification:
                return Name(metadata, metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method);
            case HandleKind.MemberReference:
                var member = metadata.GetMemberReference((MemberReferenceHandle)handle);
                return $"{TypeName(metadata, member.Parent)}.{metadata.GetString(member.Name)}";
            default:
                return null;
        }
    }

    private static string? TypeName(MetadataReader metadata, EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                var definition = metadata.GetTypeDefinition((TypeDefinitionHandle)handle);
                return definition.GetDeclaringType() is { IsNil: false } outer
                    ? $"{TypeName(metadata, outer)}.{metadata.GetString(definition.Name)}"
                    : $"{metadata.GetString(definition.Namespace)}.{metadata.GetString(definition.Name)}";
            case HandleKind.TypeReference:
                var reference = metadata.GetTypeReference((TypeReferenceHandle)handle);
                return reference.ResolutionScope.Kind == HandleKind.TypeReference
                    ? $"{TypeName(metadata, reference.ResolutionScope)}.{metadata.GetString(reference.Name)}"
                    : $"{metadata.GetString(reference.Namespace)}.{metadata.GetString(reference.Name)}";
            case HandleKind.TypeSpecification:
                var signature = metadata.GetBlobReader(metadata.GetTypeSpecification((TypeSpecificationHandle)handle).Signature);
                if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance) return null;
                signature.ReadByte();
                return TypeName(metadata, signature.ReadTypeHandle());
            default:
                return null;
        }
    }
}

/// <summary>How many octets follow an instruction of the intermediate language (ECMA-335 III); negative: not only a number.</summary>
internal enum Operand { None = 0, One = 1, Two = 2, Four = 4, Eight = 8, Token = -1, Switch = -2 }

internal static class Instructions
{
    private static readonly Dictionary<int, Operand> Operands = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value & 0xffff, code => Of(code.OperandType));

    public static Operand OperandOf(int instruction) => Operands[instruction];

    private static Operand Of(OperandType type) => type switch
    {
        OperandType.InlineNone => Operand.None,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => Operand.One,
        OperandType.InlineVar => Operand.Two,
        OperandType.InlineI8 or OperandType.InlineR => Operand.Eight,
        OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType => Operand.Token,
        OperandType.InlineSwitch => Operand.Switch,
        _ => Operand.Four,
    };
}
