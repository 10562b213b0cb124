"""How long tests wait for what must come: long enough for a machine that is busy with something else."""

PATIENCE = 180
"""Seconds."""
