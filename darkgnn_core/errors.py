"""The errors an analyst can meet; anything else that is raised is a bug."""

REPLACEMENT = "\ufffd"


def visible(text: str) -> str:
    r"""Return a text that any terminal, page and database takes: what cannot be seen is replaced.

    That is control characters, direction marks, and the half characters by which Python stands
    for bytes of a file name that are no UTF-8.

    >>> visible("a\x1b[31m\udcff"), visible("caf\u00e9")
    ('a\ufffd[31m\ufffd', 'café')
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else REPLACEMENT for each in text)


class DarkgnnError(Exception):
    """Base of all expected errors; its message says what was found, where, and the way out.

    A message may quote names of files: what cannot be seen in it is replaced.

    Args:
        message: One or two sentences for the analyst.
        code: Short stable name such as `PCAP-CUT`, for tests, scripts and help pages.
    """

    def __init__(self, message: str, *, code: str = "ERROR") -> None:
        super().__init__(visible(message))
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


class RunError(DarkgnnError):
    """A run cannot be started, continued, or ended badly."""
