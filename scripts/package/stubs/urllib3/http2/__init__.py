"""Stands in for urllib3's module of this name.

The real one loads importlib.metadata, to look for the package h2, which the layer does not carry.
Without it urllib3 speaks HTTP/1.1, as it does here.
"""
