"""Fixtures of the unit tests."""

from tests.fake_cloud import cloud

__all__ = ["cloud"]
