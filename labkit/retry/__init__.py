"""Retrying when throttled: policies and what each costs, and how a client of one's own does.

Policies are compared without sending anything (:mod:`labkit.retry.comparison`). A client of one's own is called in
virtual time (:mod:`labkit.retry.rehearsal`), held to nine rules (:mod:`labkit.retry.checks`), and let loose on the
lab's API (:mod:`labkit.retry.crowd`).
"""

from labkit.retry.checks import kept
from labkit.retry.comparison import compare_retries, simulate_retries, standard_policies
from labkit.retry.crowd import call_together
from labkit.retry.policies import (
    ClientBucket,
    Exponential,
    Fixed,
    FullJitter,
    NoRetry,
    RetryPolicy,
)
from labkit.retry.rehearsal import rehearse
from labkit.retry.runs import RetryRun, goodput, table
from labkit.retry.virtual_time import VirtualTime

__all__ = [
    "ClientBucket",
    "Exponential",
    "Fixed",
    "FullJitter",
    "NoRetry",
    "RetryPolicy",
    "RetryRun",
    "VirtualTime",
    "call_together",
    "compare_retries",
    "goodput",
    "kept",
    "rehearse",
    "simulate_retries",
    "standard_policies",
    "table",
]
