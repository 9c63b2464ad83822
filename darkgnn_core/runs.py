"""Runs: start, watch, continue, rename, archive, delete; each a directory and a row."""
