"""One host: what it did, what it looks like, who behaves so too and why, and who did before.

Small modules of pure functions over values; what is read from disk is read in `reading`,
`history` and `packet_hours`, only the columns and rows that are needed.
"""
