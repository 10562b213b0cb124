"""Clients that live with 429: their own code is called in virtual time, checked, and let loose on the lab's API.

In virtual time by :mod:`labkit.retry.rehearsal`, held to nine rules by :mod:`labkit.retry.checks`, at the gateway by
:mod:`labkit.retry.crowd`.
"""

from labkit.retry.checks import kept
from labkit.retry.crowd import call_together
from labkit.retry.rehearsal import rehearse
from labkit.retry.runs import RetryRun, table
from labkit.retry.virtual_time import VirtualTime

__all__ = ["RetryRun", "VirtualTime", "call_together", "kept", "rehearse", "table"]
