"""Fixtures of the state machine's tests."""

from tests.fake_cloud import cloud

__all__ = ["cloud"]
