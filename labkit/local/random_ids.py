"""Random ids that are no secret; what nobody may guess comes from ``secrets``."""

from __future__ import annotations

import random
import uuid


def new_uuid(numbers: random.Random) -> str:
    """A UUID of version 4.

    >>> uuid.UUID(new_uuid(random.Random(1))).version
    4
    """
    return str(uuid.UUID(int=numbers.getrandbits(128), version=4))
