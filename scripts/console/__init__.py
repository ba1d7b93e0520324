"""The live page: photographs are dropped on it, and their executions are followed on it."""

from scripts.console.server import serve

__all__ = ["serve"]
