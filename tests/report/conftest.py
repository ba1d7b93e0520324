"""Fixtures of the report's tests."""

from tests.fake_cloud import cloud

__all__ = ["cloud"]
