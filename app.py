"""Start darkgnn: `python app.py`, or `streamlit run app.py`; the guard stands before both.

`python app.py` is the launcher: it makes a launch token, runs this same file under Streamlit as a
child process, opens the browser and stops the child on Ctrl-C. The child imports this file for
`app`, which is the frame script of `pages/frame/` behind the guard.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from pages.shared import launcher, startup
from pages.shared.guard import Guard
from pages.shared.safe_logs import log_script_error

FRAME = Path(__file__).parent / "pages" / "frame" / "main_frame.py"

startup.harden_process()
TOKEN = launcher.take_token()

app = st.App(
    FRAME,
    middleware=[Middleware(Guard, token=TOKEN, **startup.guard_settings())],
    lifespan=startup.lifespan_with(TOKEN),
    on_script_error=log_script_error,
)

if __name__ == "__main__":
    raise SystemExit(launcher.main(TOKEN))
