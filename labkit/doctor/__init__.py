"""The error doctor: what an answer of AWS means, which causes it may have, and which probe tells them apart.

It goes by the answer alone (status, headers, body, and the request that it answers), so it works on real AWS too.
Where the local cloud kept the request's journey, it knows which cause it was.

What it knows is data: ``causes.toml`` holds the causes, ``rules.toml`` says which answers point to which of them.
"""

from labkit.doctor.diagnosis import explain
from labkit.doctor.explanation import Cause, Explanation

__all__ = ["Cause", "Explanation", "explain"]
