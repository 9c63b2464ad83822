"""Numbers as people read them."""


def file_size(size: int) -> str:
    """Return a size with its unit, powers of 1,000.

    >>> file_size(512), file_size(64_655), file_size(3_224_198)
    ('512 B', '64.7 kB', '3.2 MB')
    """
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 1000:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def duration(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> duration(0.04), duration(7.26), duration(75), duration(3_720), duration(200_000)
    ('0.04 s', '7.3 s', '1 min 15 s', '1 h 2 min', '2 d 7 h')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s" if seconds >= 0.95 else f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3_600} h"
