"""Load and crashes on a local AWS: ``make load``."""
