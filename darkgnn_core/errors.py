"""The errors an analyst can meet; anything else that is raised is a bug."""


class DarkgnnError(Exception):
    """Base of all expected errors; its message says what was found, where, and the way out.

    Args:
        message: One or two sentences for the analyst.
        code: Short stable name such as `PCAP-CUT`, for tests, scripts and help pages.
    """

    def __init__(self, message: str, *, code: str = "ERROR") -> None:
        super().__init__(message)
        self.code = code


class TraceError(DarkgnnError, ValueError):
    """A trace file cannot be read as what it claims to be."""


class LabelError(DarkgnnError, ValueError):
    """A list of labels cannot be used as it is."""


class ConfigError(DarkgnnError, ValueError):
    """A setting is outside what it may be."""


class WorkspaceError(DarkgnnError):
    """The workspace cannot be opened, locked, read or written."""


class JobError(DarkgnnError):
    """A background job cannot be started, or ended badly."""
