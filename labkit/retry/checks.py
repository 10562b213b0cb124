"""Checks of a client that lives with 429: nine rules, and a hint for each way to break one.

Each rule lets the client call an API in virtual time (:mod:`labkit.retry.rehearsal`), counts what it sends, and raises
with one hint. Nothing waits for real, and the counts are the same on every run.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
import requests

from labkit.bursts.simulation import FloatArray
from labkit.errors import CheckError, VirtualTimeError
from labkit.retry.rehearsal import (
    BAD_REQUEST,
    FORBIDDEN,
    OK,
    OVER_QUOTA,
    THROTTLED,
    TIMED_OUT,
    UNAUTHORIZED,
    Answer,
    Call,
    Rehearsal,
)
from labkit.retry.runs import Attempt, run_of
from labkit.retry.virtual_time import Task
from labkit.throttle import TokenBucket

TRIES = 8
BASE = 0.25
"""Seconds: the longest that a client may wait before its second try."""
CAP = 4.0
"""Seconds: the longest that it may wait before any."""
BUCKET = TokenBucket(rate=40, burst=5)
CLIENTS = 50
MOST_REQUESTS = 300
"""For as many calls as there are clients. With full jitter it takes 148 to 168, by 2,000 seeds."""
_MOST_TRIES = 60
"""Who tries so often never gives up."""
_RUNS = 30
_LONGEST_ERROR = 100
_NOTHING = 1e-6
"""Seconds: rounding, not a wait."""

CEILINGS: FloatArray = np.minimum(CAP, BASE * 2.0 ** np.arange(TRIES - 1))
"""Seconds: the longest that each wait may take."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one client did.

    Attributes:
        attempts: its requests, in order.
        ended: when it gave it back, in seconds of virtual time.
        endless: whether it was stopped, for it never ended by itself.
    """

    attempts: list[Attempt]
    ended: float
    endless: bool

    @property
    def cost(self) -> str:
        """Its requests in words."""
        count = len(self.attempts)
        return "1 request" if count == 1 else f"{count} requests"

    @property
    def after(self) -> float:
        """Seconds between the last answer and the end."""
        return self.ended - self.attempts[-1].answered


def watch(call: Call, *answers: Answer, verb: str = "GET") -> Seen:
    """Let a client call an API that gives these answers, one after the other; the last one again and again.

    Raises:
        CheckError: the client sent nothing, raised, or gave back something else than the last response.
    """
    came = iter(answers)
    rehearsal = Rehearsal(lambda _now: next(came, answers[-1]), _MOST_TRIES)
    [task] = _run(rehearsal, call, verb)
    if task.finished:
        status = getattr(task.result, "status_code", None)
        last = answers[min(len(rehearsal.attempts), len(answers)) - 1].status
        hint = f"it gave back {task.result!r}, and not a response: return the last one"
        _require(isinstance(status, int), hint)
        _require(status == last, f"it gave back {status}, and the last answer was {last}")
    return Seen(rehearsal.attempts, task.at, rehearsal.stopped)


def rule_1(call: Call) -> None:
    """A call that passes costs one request, and no wait."""
    seen = watch(call, OK)
    before = seen.attempts[0].sent
    hint = f"it waited {before:.2f} s before the first try. The first try goes at once"
    _require(before <= _NOTHING, hint)
    _require(len(seen.attempts) == 1, f"a call that passed cost {seen.cost}")
    _require(seen.after <= _NOTHING, f"it waited {seen.after:.2f} s after the call had passed")


def rule_2(call: Call) -> None:
    """After the throttle's 429 it waits, and tries again."""
    seen = watch(call, THROTTLED, THROTTLED, OK)
    _require(
        len(seen.attempts) >= 3, f"it gave up after {seen.cost}, and the third would have passed"
    )
    _require(
        waits_of(seen.attempts).min() > _NOTHING,
        "it tried again at once. Call the sleep(…) that it gets before each retry: that is what the checks see",
    )


def rule_3(call: Call) -> None:
    """The quota's 429 is given back at once."""
    for answers in ((OVER_QUOTA,), (THROTTLED, OVER_QUOTA)):
        seen = watch(call, *answers)
        more = len(seen.attempts) - len(answers)
        _require(
            more <= 0,
            f"it sent {more} more after the quota was used up, which no wait brings back: "
            "look at x-amzn-ErrorType",
        )


def rule_4(call: Call) -> None:
    """Another 4xx is given back at once."""
    for answer in (BAD_REQUEST, UNAUTHORIZED, FORBIDDEN):
        seen = watch(call, answer)
        _require(
            len(seen.attempts) == 1,
            f"it sent {seen.cost} to hear {answer.status} each time. "
            "The same request gets the same answer: give it back",
        )


def rule_5(call: Call) -> None:
    """After a 504 it tries a GET again, and a POST never."""
    seen = watch(call, TIMED_OUT, OK, verb="POST")
    _require(
        len(seen.attempts) == 1,
        "it sent a POST again after a 504. The first one may have done its work: then it is done twice",
    )
    seen = watch(call, TIMED_OUT, OK)
    _require(len(seen.attempts) > 1, "it gave a 504 back. A GET changes nothing, so try it again")


def rule_6(call: Call) -> None:
    """It sends at most eight requests, and doesn't wait after the last."""
    seen = watch(call, THROTTLED)
    tries = len(seen.attempts)
    _require(not seen.endless, "it never gives up")
    _require(tries >= TRIES, f"it gives up too early, after {seen.cost} of {TRIES}")
    _require(
        tries <= TRIES, f"it sent {seen.cost}, and {TRIES} is the limit: the first one counts too"
    )
    _require(
        seen.after <= _NOTHING, f"it waited {seen.after:.2f} s after its last try, for nothing"
    )


def rule_7(call: Call) -> None:
    """The longest possible wait doubles from 0.25 s on, up to 4 s."""
    longest = _waits(call).max(axis=0)
    for number, (wait, ceiling) in enumerate(zip(longest, CEILINGS, strict=False), start=1):
        took = f"wait {number} took up to {wait:.2f} (in seconds)"
        short = wait <= ceiling + _NOTHING
        _require(
            short or ceiling < CAP, f"{took}, and no wait is longer than {CAP:g}: it needs a cap"
        )
        _require(short, f"{took}, and {ceiling:g} is the most")
        _require(
            wait >= ceiling / 2,
            f"{took}, and may take up to {ceiling:g}: the waits don't grow as they should",
        )


def rule_8(call: Call) -> None:
    """Each wait is drawn by chance, from 0 up to the longest."""
    waits = _waits(call)
    spread = np.ptp(waits, axis=0)
    _require(
        spread.min() > _NOTHING,
        f"no jitter: wait {spread.argmin() + 1} is the same on every run, so clients that failed "
        "together come again together",
    )
    least = float((waits / waits.max(axis=0)).min())
    _require(
        least <= 0.2,
        f"too little jitter: no wait was shorter than {least:.0%} of the longest. "
        "Draw it from 0 on",
    )


def rule_9(call: Call) -> None:
    """Fifty clients that call at once all get through, without a storm."""
    fresh = TokenBucket(BUCKET.rate, BUCKET.burst)
    rehearsal = Rehearsal(lambda now: OK if fresh.take(now) else THROTTLED, MOST_REQUESTS)
    _run(rehearsal, call, clients=CLIENTS)
    _require(
        not rehearsal.stopped,
        f"a storm: {CLIENTS} calls sent more than {MOST_REQUESTS} requests",
    )
    run = run_of(rehearsal.attempts, CLIENTS, "yours")
    _require(not run.given_up, f"{run.given_up} of {CLIENTS} clients didn't get through")


RULES = (rule_1, rule_2, rule_3, rule_4, rule_5, rule_6, rule_7, rule_8, rule_9)


def kept(call: Call) -> list[int]:
    """Check every rule, and print which are kept, and a hint for each other one.

    A client that waits with something else than the ``sleep`` that it gets ends the checks.

    Returns:
        The numbers of the rules that the client keeps.
    """
    numbers: list[int] = []
    said: dict[str, int] = {}
    lines = []
    for number, rule in enumerate(RULES, start=1):
        try:
            rule(call)
        except (CheckError, VirtualTimeError) as error:
            first = said.setdefault(str(error), number)
            hint = str(error) if first == number else f"the same as rule {first}."
            lines.append(f"✗ rule {number}: {hint}")
            if isinstance(error, VirtualTimeError):
                break
        else:
            numbers.append(number)
    if numbers:
        lines.insert(0, f"✓ rules {', '.join(map(str, numbers))}")
    print(*lines, sep="\n")
    return numbers


def waits_of(attempts: list[Attempt]) -> FloatArray:
    """Seconds between an answer and the next try of one client."""
    times = np.array([(attempt.sent, attempt.answered) for attempt in attempts])
    waits: FloatArray = times[1:, 0] - times[:-1, 1]
    return waits


def _waits(call: Call) -> FloatArray:
    """The waits of many clients between their tries, a row for each client.

    Raises:
        CheckError: one doesn't try again.
    """
    rehearsal = Rehearsal(lambda _now: THROTTLED, _RUNS * 20)
    _run(rehearsal, call, clients=_RUNS)
    rows = [
        waits_of([attempt for attempt in rehearsal.attempts if attempt.client == number])
        for number in range(_RUNS)
    ]
    fewest = min(TRIES - 1, *map(len, rows))
    waits = np.array([row[:fewest] for row in rows])
    _require(waits.max(initial=0.0) > _NOTHING, "it never waits and tries again")
    return waits


def _run(rehearsal: Rehearsal, call: Call, verb: str = "GET", *, clients: int = 1) -> list[Task]:
    """Let the clients call.

    Raises:
        CheckError: it is no plain function; or one of them raised, or sent nothing.
    """
    _require(
        not inspect.iscoroutinefunction(call),
        "it is async. Write a plain function: def, without async and await",
    )
    tasks = rehearsal.run(call, verb, clients=clients)
    error = next((task.error for task in tasks if task.error is not None), None)
    of_requests = isinstance(error, requests.RequestException)
    _require(
        bool(rehearsal.attempts) or not (of_requests or error is None),
        "it sent nothing over the session that it got. Send with http.request(verb, url), "
        "and leave the session's adapters in their place",
    )
    words = f"it raised {type(error).__name__}: {error}"
    if len(words) > _LONGEST_ERROR:
        words = words[:_LONGEST_ERROR].rstrip() + " …"
    if of_requests:
        words += ". Give the last response back"
    if isinstance(error, requests.exceptions.RetryError):
        words += ": urllib3's Retry does so with raise_on_status=False"
    _require(error is None, words)
    return tasks


def _require(kept: bool | np.bool_, hint: str) -> None:
    if not kept:
        raise CheckError(f"{hint}.", expected=None, actual=None)
