"""Short codes of reports in plain words: why a row was left out, and what is worth knowing."""

LEFT_OUT = {
    "bad_address": "the address is no IPv4 address",
    "bad_encoding": "the line is not UTF-8 text",
    "bad_ip_header": "the IP header is impossible",
    "bad_port": "the port is no number from 0 to 65535",
    "bad_quoting": "a quotation mark is left open",
    "bad_tcp": "the TCP header is impossible",
    "bad_time": "the time is missing, before 1995 or in the future",
    "bad_udp": "the UDP header is impossible",
    "bad_value": "a value cannot be read",
    "cut_line": "the line is cut off",
    "fragment": "a later piece of a split packet, which has no ports",
    "ipv6": "IPv6, which is only counted",
    "no_ip_header": "the capture was cut before the end of the IP header",
    "no_time": "the packet carries no time",
    "not_a_firewall_line": "another line of the log, not about a packet",
    "not_ip": "not an IP packet, such as ARP",
    "not_json": "the line is not JSON",
    "too_many_packets": "one row claims to stand for more packets than is believable",
    "too_many_vlan": "more than 4 VLAN tags",
    "truncated_l4": "the capture was cut before the end of the ports",
    "unsupported_link": "a kind of network link that is not read",
    "wrong_field_count": "the row has too few or too many fields",
}
"""Why a record of a trace gives no packet."""

NOTES = {
    "GZIP-CUT": "the compressed file ends early; what came before is loaded",
    "GZIP-DAMAGED": "the compressed file is damaged; what came before is loaded",
    "GZIP-TRAILING": "something follows the compressed data; it is left out",
    "NAME-DAY": "the name speaks of another day than its packets; their own time decides",
    "PCAP-CUT": "the capture ends in the middle of a packet; what came before is loaded",
    "PCAP-DAMAGED": "the capture is damaged; what came before is loaded",
    "ZSTD-CUT": "the compressed file ends early; what came before is loaded",
    "ZSTD-DAMAGED": "the compressed file is damaged; what came before is loaded",
    "bad_options": "the TCP options are malformed; the packet is kept without them",
    "dst_fold": "a local time that the clock change makes ambiguous; the earlier one is taken",
    "dst_gap": "a local time that the clock change leaves out",
    "float_times": "times are decimal fractions, so they are exact to microseconds at best",
    "len_mismatch": "the packet says another length than the capture; it is kept",
    "options_cut": "the capture was cut inside the TCP options",
    "port_other": "the port is written as 'oth' (other) and so is not known",
    "proto_assumed_tcp": "no column names the protocol: taken as TCP",
    "repeated_header": "the header line stands there again; it is passed over",
    "subsecond_overflow": "a fraction of a second above 1; it is carried over",
    "tcp_cut": "the capture was cut inside the TCP header; the ports are known",
    "timezone_assumed_utc": "the time has no zone: taken as UTC",
    "year_assumed": "the line has no year: the latest that fits is taken",
    "zeek_flipped": "Zeek took the answer for the question; turned round",
}
"""What is worth knowing of a trace, and dropped nothing."""

LIST_LEFT_OUT = {
    "bad_label": "the text cannot be a label",
    "duplicate": "said before in the same list",
    "empty": "no address",
    "host_bits": "an address inside a prefix, with the prefix length of the whole",
    "hostname": "a name, not an address",
    "hosting_name": "the reverse name belongs to a hoster, so it says nothing of the sender",
    "integer": "an address written as one whole number",
    "leading_zero": "an address with leading zeros",
    "malformed": "no IPv4 address or prefix",
    "no_organisation": "no organisation is named",
    "nomatch": "an exception from a set",
    "not_a_command": "a line that adds nothing to a set",
    "not_text": "the entry is not text",
    "port": "an address with a port",
    "says_unknown": "the label is 'unknown', which means no label",
    "wide_prefix": "a prefix wider than /24, held back",
    "zone": "an IPv6 address with a zone",
}
"""Why a row of a list gives no label."""

LIST_NOTES = {
    "mapped_ipv6": "IPv4 addresses written in the IPv6 way, read as IPv4",
    "prefixes_of_ranges": "prefixes that ranges of addresses were split into",
    "ranges_split": "ranges of addresses, split into prefixes",
}
"""What is worth knowing of a list, and dropped nothing."""

WORDS = LEFT_OUT | NOTES | LIST_LEFT_OUT | LIST_NOTES


def in_words(code: str) -> str:
    """Return what a code of a report means; a code without an entry with spaces in it.

    >>> in_words("not_ip"), in_words("line_commit")
    ('not an IP packet, such as ARP', 'line commit')
    """
    return WORDS.get(code) or code.replace("_", " ")
