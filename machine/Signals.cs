using static Tmds.Linux.LibC;

namespace Calico.Bgp.Machine;

/// <summary>Signals by their names, to processes by their ids: no program's name ever decides who is met.</summary>
public static class Signals
{
    /// <param name="process">Its id. One that is gone already is no error.</param>
    /// <param name="name">TERM, INT, HUP, USR2, KILL, STOP or CONT.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another name.</exception>
    public static void Send(int process, string name) => Libc.Signal(process, name switch
    {
        "TERM" => SIGTERM,
        "USR2" => SIGUSR2,
        "INT" => SIGINT,
        "HUP" => SIGHUP,
        "KILL" => SIGKILL,
        "STOP" => SIGSTOP,
        "CONT" => SIGCONT,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "expected TERM, INT, HUP, USR2, KILL, STOP or CONT"),
    });
}
