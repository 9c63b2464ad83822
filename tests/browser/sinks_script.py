"""A page of its own, without guard and policy: every payload through every way we show text."""

import json
import os
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared.feedback import plain, safe, show_table

payloads = json.loads(Path(os.environ["SINK_PAYLOADS"]).read_text(encoding="utf-8"))
st.title("Sinks")
for place, payload in enumerate(payloads):
    with st.container(key=f"markdown-{place}"):
        st.markdown(safe(payload))
    with st.container(key=f"error-{place}"):
        st.error(safe(payload))
    with st.container(key=f"metric-{place}"):
        st.metric(safe(payload), 1, help=safe(payload))
    with st.container(key=f"button-{place}"):
        st.button(safe(payload), key=f"b{place}")
    with st.container(key=f"text-{place}"):
        st.text(plain(payload))
    with st.container(key=f"code-{place}"):
        st.code(plain(payload), language=None)
    st.selectbox("Choose", [plain(payload)], key=f"s{place}")
    show_table(pd.DataFrame({"label": [payload]}), f"table{place}")
st.markdown("finished")
