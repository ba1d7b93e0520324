"""The first hour on AWS: deploy under a random name, convert, verify, compare, destroy."""
