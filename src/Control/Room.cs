namespace Calico.Bgp.Control;
