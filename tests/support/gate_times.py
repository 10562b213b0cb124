"""When the local cloud's throttle gate decided: the times by which the model must be right about each request."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import requests

from labkit.bursts.simulation import BoolArray, FloatArray
from tests.support.attached_cloud import cloud_settings
from tests.support.patience import PATIENCE


def gate_times(request_ids: Iterable[str]) -> tuple[FloatArray, BoolArray]:
    """What the journeys of requests have kept, in the order of the ids.

    Returns:
        The gate's clock at each decision, in seconds since 1970, and whether the request might pass.
    """
    settings = cloud_settings()
    times, passed = [], []
    with requests.Session() as session:
        session.trust_env = False
        session.headers["x-labkit-token"] = settings.admin_token
        for request_id in request_ids:
            url = f"{settings.endpoint}/_labkit/journeys/{request_id}"
            steps = session.get(url, timeout=PATIENCE).json()["steps"]
            [step] = [step for step in steps if step["gate"] == "throttle"]
            times.append(step["evidence"]["time"])
            passed.append(step["outcome"] == "pass")
    return np.array(times), np.array(passed)


def in_order(times: FloatArray, passed: BoolArray) -> np.ndarray:
    """The order of the decisions. Of two at the same moment, the one that passed came first."""
    return np.lexsort((~passed, times))
