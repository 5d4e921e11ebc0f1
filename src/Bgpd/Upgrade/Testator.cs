using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Calico.Bgp.Answers;
using Calico.Bgp.Speaker.Handover;
using Microsoft.Win32.SafeHandles;

namespace Calico.Bgp.Bgpd.Upgrade;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Greeting))]
internal sealed partial class GreetingJson : JsonSerializerContext;

/// <summary>The process that runs, which has started us to take over. It speaks to peers and writes the kernel's tables until it has
/// ended.</summary>
internal sealed class Testator(HandoverSocket socket) : ITestator
{
    private const string Name = "the process before";

    private HandedState? state;

    public HandedState State => state ?? throw new InvalidOperationException("nothing was offered yet");
    public IReadOnlyList<Stream> Images { get; private set; } = [];
    public IReadOnlyList<Socket> Sockets { get; private set; } = [];

    /// <summary>Null: nobody is to be taken over from.</summary>
    public static Testator? Find() => HandoverSocket.Inherited() is { } socket ? new(socket) : null;

    /// <summary>We are ready; the answer is all that it has.</summary>
    /// <exception cref="HandoverException">It goes on by itself, or what it says is not understood.</exception>
    public async Task AskAsync(CancellationToken stop)
    {
        var greeting = new Greeting(HandedState.CurrentVersion, Release.Version);
        await socket.SendAsync(Said.Hello, greeting, GreetingJson.Default.Greeting, stop);
        state = Read(await socket.ExpectAsync(Said.Offer, Name, stop), HandoverJson.Default.HandedState);
        var descriptors = await socket.Descriptors.ReceiveAsync(state.Images + state.Sockets, stop);
        Images = [.. descriptors.Take(state.Images).Select(Image)];
        Sockets = [.. descriptors.Skip(state.Images).Select(one => new Socket(new SafeSocketHandle(one, ownsHandle: true)))];
    }

    /// <summary>Its place in the memory is shared with who has written it.</summary>
    private static FileStream Image(int descriptor) =>
        new(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read, 0) { Position = 0 };

    private static T Read<T>(byte[] json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new HandoverException("expected its state, got nothing");
        }
        catch (JsonException wrong)
        {
            throw new HandoverException($"what {Name} says is not understood: {wrong.Message}", wrong);
        }
    }

    public async Task<HandedMoments> RestoredAsync(CancellationToken stop)
    {
        await socket.SendAsync(Said.Restored, default, stop);
        return Read(await socket.ExpectAsync(Said.Moments, Name, stop), HandoverJson.Default.HandedMoments);
    }

    public async Task TakenAsync(CancellationToken stop)
    {
        await socket.SendAsync(Said.Taken, default, stop);
        // It says so, or it has ended: it ends us before it goes on by itself.
        await socket.ReceiveAsync(stop);
    }

    /// <summary>Completes when it has ended: what it held is free, and nobody else writes the kernel's tables.</summary>
    public async Task EndedAsync(CancellationToken stop)
    {
        while (await socket.ReceiveAsync(stop) != null) { }
        socket.Dispose();
    }

    /// <summary>We end, and it goes on.</summary>
    public Task RefuseAsync(string words) => socket.SendAsync(Said.Refused, Encoding.UTF8.GetBytes(words), CancellationToken.None);
}
