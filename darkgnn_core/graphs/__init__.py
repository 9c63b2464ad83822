"""The graph of hosts and ports around a few of them: cut to size, laid out, compared, grouped.

Pure functions over the pairs that snapshots store; nothing here knows a page.
"""
