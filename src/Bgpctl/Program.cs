using Calico.Bgp.Bgpctl;

return await Commands.RunAsync(args, Screen.OfProcess(), TimeProvider.System).ConfigureAwait(false);
