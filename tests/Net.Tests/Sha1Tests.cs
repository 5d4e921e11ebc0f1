using System.Security.Cryptography;
using System.Text;

namespace Calico.Bgp.Net.Tests;

public class Sha1Tests
{
    [Theory]
    [InlineData("", "da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    [InlineData("abc", "a9993e364706816aba3e25717850c26c9cd0d89d")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1")]
    public void The_standards_own_examples_come_out(string text, string hex) => Assert.Equal(hex, Hex(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void It_is_what_OpenSSL_says_at_every_length_around_a_block()
    {
        for (var length = 0; length < 300; length++)
        {
            var octets = new byte[length];
            new Random(length).NextBytes(octets);
#pragma warning disable CA5350 // It is what ours is held against.
            Assert.Equal(Convert.ToHexStringLower(SHA1.HashData(octets)), Hex(octets));
#pragma warning restore CA5350
        }
    }

    private static string Hex(byte[] octets)
    {
        var hash = new byte[Sha1.Size];
        Sha1.Hash(octets, hash);
        return Convert.ToHexStringLower(hash);
    }
}
