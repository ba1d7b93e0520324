"""Backfills: images that exist already, sent through the pipeline by a Distributed Map.

The state machine NAME-backfill lists them, or reads a manifest, and sends a message for each to the
stack's queue. `candidates` counts beforehand what it will find, `runs` starts and follows it, and
`pipeline` says what became of what it sent.
"""
