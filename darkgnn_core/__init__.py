"""darkgnn_core: from darknet traces to daily host-port graphs. Knows nothing of Streamlit."""

__version__ = "0.1.0"
