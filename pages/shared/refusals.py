"""The short pages the guard answers with, in plain words and without anything a request said."""

from dataclasses import dataclass, field

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>darkgnn</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.05rem/1.5 system-ui, sans-serif; }}
body {{ max-width: 38rem; margin: 15vh auto; padding: 0 1rem; }}
</style></head><body><h1>darkgnn</h1>
{text}
</body></html>
"""


@dataclass(frozen=True)
class Answer:
    """What the guard sends instead of the app.

    Attributes:
        status: HTTP status.
        text: Body as HTML of our own; never anything taken from the request.
        headers: More headers.
    """

    status: int
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def page(self) -> bytes:
        """Return the body."""
        return PAGE.format(text=f"<p>{self.text}</p>").encode() if self.text else b""


BAD_REQUEST = Answer(400, "This request is not well formed.")
UNKNOWN = Answer(
    401,
    "This darkgnn does not know this browser yet. Open the link that the terminal showed when "
    "darkgnn was started; it ends in <code>?token=...</code> and is new at every start.</p>"
    '<p>If you have used that link in this browser already, <a href="/">continue to darkgnn</a>.',
)
FORBIDDEN = Answer(403, "darkgnn only answers its own pages, on the computer it runs on.")
TOO_LARGE = Answer(
    413, "This is more than may be uploaded. Put large traces into the inbox folder."
)
MISDIRECTED = Answer(
    421,
    "This address is not darkgnn's own. Use the link that the terminal showed when it was started.",
)
