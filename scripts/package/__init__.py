"""Builds what is deployed to AWS Lambda: functions.zip, layer.zip and a manifest of both.

    python -m scripts.package --runtime python3.13 --architecture arm64 --output build/package
    python -m scripts.package --host --output build/package-local

A build is a function of its inputs: the same sources, pins and interpreter give the same bytes, so
Terraform finds nothing to deploy when nothing has changed.
"""


class PackageError(Exception):
    """A package cannot be built. The message says what is wrong and what to do about it."""
