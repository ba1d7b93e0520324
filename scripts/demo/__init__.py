"""The whole pipeline on the local AWS, on real images, checked: ``make demo``."""
