namespace Calico.Bgp.Rib;

/// <summary>What the next hop becomes on export where no filter sets it.</summary>
public enum NextHopMode : byte
{
    /// <summary>RFC 4271 5.1.3: self for external peers (third party on a shared link), unchanged for internal ones.</summary>
    Auto,
    Self,
    Keep,
}
