"""What a client does when it is throttled: retry policies, and what each costs.

A client of one's own is called in virtual time by :mod:`labkit.retry.rehearsal`, checked by
:mod:`labkit.retry.checks`, and let loose on the lab's API by :mod:`labkit.retry.crowd`.
"""

from labkit.retry.comparison import (
    Attempts,
    Comparison,
    RetryRun,
    compare_retries,
    measured,
    simulate_retries,
    standard_policies,
)
from labkit.retry.policies import (
    ClientBucket,
    Exponential,
    Fixed,
    FullJitter,
    NoRetry,
    Pacer,
    RetryPolicy,
)

__all__ = [
    "Attempts",
    "ClientBucket",
    "Comparison",
    "Exponential",
    "Fixed",
    "FullJitter",
    "NoRetry",
    "Pacer",
    "RetryPolicy",
    "RetryRun",
    "compare_retries",
    "measured",
    "simulate_retries",
    "standard_policies",
]
