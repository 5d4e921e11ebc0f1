using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Net.Tests;

public class Sha256Tests
{
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void The_standards_own_examples_come_out(string text, string hex) => Assert.Equal(hex, Hex(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void It_is_what_OpenSSL_says_at_every_length_around_a_block()
    {
        for (var length = 0; length < 300; length++)
        {
            var octets = new byte[length];
            new Random(length).NextBytes(octets);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(octets)), Hex(octets));
        }
    }

    [Fact]
    public void It_is_what_OpenSSL_says_of_any_octets() =>
        Prop.ForAll<byte[]>(octets => Hex(octets) == Convert.ToHexStringLower(SHA256.HashData(octets))).QuickCheckThrowOnFailure();

    private static string Hex(byte[] octets)
    {
        var hash = new byte[Sha256.Size];
        Sha256.Hash(octets, hash);
        return Convert.ToHexStringLower(hash);
    }
}
