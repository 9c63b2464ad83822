"""The command line: every capability as a command, for people and, with `--json`, for machines."""
