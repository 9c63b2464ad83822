"""Parts of pages that run in the browser: our own, each with its JavaScript file beside it."""
