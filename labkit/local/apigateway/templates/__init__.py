"""Mapping templates: the part of the Velocity Template Language that the local cloud evaluates.

A template reads plain data and calls a fixed set of methods: nothing of Python is reachable from it.
Its work is bounded, and what isn't understood is refused, never guessed.
"""
