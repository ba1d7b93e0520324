"""What a build reports to the person who started it."""


class PackageError(Exception):
    """A package cannot be built. The message says what is wrong and what to do about it."""
