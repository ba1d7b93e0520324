"""How fast and lean the conversion is compared with other engines: ``make bench``."""
