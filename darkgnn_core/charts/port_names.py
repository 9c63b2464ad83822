"""Common services by TCP port, to read a chart without looking numbers up."""

NAMES = {
    21: "ftp",
    22: "ssh",
    23: "telnet",
    25: "smtp",
    53: "dns",
    80: "http",
    81: "http",
    88: "http",
    110: "pop3",
    111: "rpcbind",
    135: "msrpc",
    139: "netbios",
    143: "imap",
    179: "bgp",
    389: "ldap",
    443: "https",
    445: "smb",
    502: "modbus",
    554: "rtsp",
    587: "smtp",
    993: "imaps",
    1080: "socks",
    1433: "mssql",
    1521: "oracle",
    1723: "pptp",
    1883: "mqtt",
    2222: "ssh",
    2323: "telnet",
    2375: "docker",
    3128: "proxy",
    3306: "mysql",
    3389: "rdp",
    5060: "sip",
    5432: "postgres",
    5555: "adb",
    5900: "vnc",
    5984: "couchdb",
    6379: "redis",
    6443: "kubernetes",
    7547: "tr-069",
    8000: "http",
    8080: "http",
    8081: "http",
    8443: "https",
    8728: "mikrotik",
    8888: "http",
    9200: "elastic",
    11211: "memcached",
    27017: "mongodb",
    37215: "huawei",
    52869: "upnp",
}
"""Source: IANA service names, and ports of well-known malware targets (37215, 52869, 5555)."""


def port_label(port: int) -> str:
    """Return a port as charts and tables write it.

    >>> port_label(23), port_label(40_001)
    ('23 telnet', '40001')
    """
    name = NAMES.get(port)
    return f"{port} {name}" if name else str(port)
