"""Retrying when throttled: how a client of one's own does, and what five ways to retry cost.

A client is called in virtual time (:mod:`labkit.retry.rehearsal`), held to nine rules (:mod:`labkit.retry.checks`), and
let loose on the lab's API (:mod:`labkit.retry.crowd`). :mod:`labkit.retry.comparison` sends nothing at all.
"""

from labkit.retry.checks import kept
from labkit.retry.comparison import compare_retries
from labkit.retry.crowd import call_together
from labkit.retry.rehearsal import rehearse
from labkit.retry.runs import RetryRun, table

__all__ = ["RetryRun", "call_together", "compare_retries", "kept", "rehearse", "table"]
