"""Keeps the few megabytes that a conversion frees block by block, to use them for the next one.

By default glibc hands a block back to the system as it is freed and asks for it again at once, and
the system has to clear each page of it again: a quarter of the time that a small image takes.
"""

import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 8 * 1024**2
# Larger than all that is allocated by the block, smaller than an image.
_LARGE_BYTES = 4 * 1024**2


def keep_freed_memory() -> bool:
    """Sets glibc's allocator for the whole process; returns False with another C library."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError):  # another C library, or none to be asked
        return False
    settings = ((_M_TRIM_THRESHOLD, _KEPT_BYTES), (_M_MMAP_THRESHOLD, _LARGE_BYTES))
    done = [mallopt(name, value) for name, value in settings]
    return all(done)
