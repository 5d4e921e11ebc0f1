namespace Calico.Bgp.Control.Bird;

/// <summary>
/// The four digits that open a reply line. Clients decide by them alone: 0xxx ends a good answer, 1xxx is a row, 2xxx a heading,
/// 8xxx a failure, 9xxx a command that was not understood.
/// </summary>
internal enum ReplyCode
{
    Ok = 0,
    Welcome = 1,
    ReadingConfiguration = 2,
    Reconfigured = 3,
    ShuttingDown = 6,
    ShutdownRequested = 7,
    AlreadyDisabled = 8,
    Disabled = 9,
    AlreadyEnabled = 10,
    Enabled = 11,
    Restarted = 12,
    Status = 13,
    RouteCount = 14,
    Reloading = 15,
    Restricted = 16,
    Confirmed = 18,
    NothingToDo = 19,
    ConfigurationGood = 20,
    UndoRequested = 21,
    UndoScheduled = 22,
    Value = 23,
    GracefulRestart = 24,
    GracefulRestartRequested = 25,

    Version = 1000,
    Interface = 1001,
    Protocol = 1002,
    InterfaceAddress = 1003,
    InterfaceFlags = 1004,
    InterfaceSummary = 1005,
    ProtocolDetails = 1006,
    Route = 1007,
    RouteType = 1008,
    StaticRoute = 1009,
    Symbol = 1010,
    Uptime = 1011,
    RouteAttribute = 1012,
    Memory = 1018,
    BfdSession = 1020,

    ProtocolHeading = 2002,
    InterfaceSummaryHeading = 2005,

    NetworkNotFound = 8001,
    ConfigurationBad = 8002,
    NoProtocolsMatch = 8003,
    ReloadFailed = 8006,
    AccessDenied = 8007,
    RuntimeError = 8008,

    TooLong = 9000,
    SyntaxError = 9001,
}
