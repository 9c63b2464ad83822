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
