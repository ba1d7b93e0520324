"""How fast, small and lean the conversion is beside other engines: ``make bench``."""
