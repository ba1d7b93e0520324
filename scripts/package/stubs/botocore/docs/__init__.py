"""Stands in for botocore's module of this name, which loads a writer of its reference manual."""
