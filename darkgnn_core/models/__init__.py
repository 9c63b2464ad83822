"""The networks: one a file, formula, source and shapes on top."""
