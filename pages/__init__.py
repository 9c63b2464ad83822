"""The app's pages: thin scripts over `darkgnn_core`."""
