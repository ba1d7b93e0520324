"""Spoil the test images in random ways and convert them, in a process that may die.

Each must become a PNG with the pixels that a second, strict decoder sees, or a named error, within
bounded time and memory. What fails is kept in build/fuzz; seed and number identify it.

    python -m tests.durability.fuzz --count 20000 --seed 1
"""
