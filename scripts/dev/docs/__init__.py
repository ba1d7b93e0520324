"""What `make docs` and `make pictures` write."""
