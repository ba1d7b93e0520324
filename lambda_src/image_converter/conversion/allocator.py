"""Keeps the few megabytes that a conversion frees block by block, and uses them for the next block.

By default glibc returns a freed block to the system and soon asks for it again, and the system has
to clear each page of it again: a quarter of the time that a small image takes.
"""

import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 8 * 1024**2
# Larger than everything that is allocated for a block, smaller than an image.
_LARGE_BYTES = 4 * 1024**2


def keep_freed_memory() -> bool:
    """Sets glibc's allocator for the whole process; returns False with another C library."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError):  # another C library, or none that can be loaded
        return False
    settings = ((_M_TRIM_THRESHOLD, _KEPT_BYTES), (_M_MMAP_THRESHOLD, _LARGE_BYTES))
    done = [mallopt(name, value) for name, value in settings]
    return all(done)
