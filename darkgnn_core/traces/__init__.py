"""Readers of traces: one a format, all giving the same packet columns in bounded memory."""
