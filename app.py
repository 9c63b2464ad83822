"""Start darkgnn: `python app.py`, or `streamlit run app.py`; the guard stands before both.

`python app.py` is the launcher: it makes a launch token, runs this same file under Streamlit as a
child process, opens the browser and stops the child on Ctrl-C. The child imports this file for
`app`, which is the frame script of `pages/frame/` behind the guard.
"""

from pathlib import Path

from pages.shared import launcher

launcher.harden_process()
TOKEN = launcher.take_token()

if __name__ == "__main__":  # before Streamlit is imported, which the launcher does not need
    raise SystemExit(launcher.main(TOKEN))

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402

from pages.shared import startup  # noqa: E402
from pages.shared.guard import Guard  # noqa: E402
from pages.shared.safe_logs import log_script_error  # noqa: E402

FRAME = Path(__file__).parent / "pages" / "frame" / "main_frame.py"

app = st.App(
    FRAME,
    middleware=[Middleware(Guard, token=TOKEN, **startup.guard_settings())],
    lifespan=startup.lifespan_with(TOKEN),
    on_script_error=log_script_error,
)
