"""Checks of a client that lives with 429: nine rules, and a hint for each way to break one.

Each rule lets the client call an API in virtual time (:mod:`labkit.retry.rehearsal`), counts what it sends, and raises
with one hint. Nothing waits for real, and the counts are the same on every run.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
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
    Attempt,
    Call,
    Rehearsal,
    run_of,
)
from labkit.retry.virtual_time import Outcome
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

Rule = Callable[[Call], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one client did.

    Attributes:
        attempts: its requests, in order.
        status: of the answer that it gave back.
        ended: when it gave it back, in seconds of virtual time.
        endless: whether it was stopped, for it never ended by itself.
    """

    attempts: list[Attempt]
    status: int
    ended: float
    endless: bool

    @property
    def before(self) -> float:
        """Seconds before the first try."""
        return self.attempts[0].sent

    @property
    def waits(self) -> FloatArray:
        """Seconds between an answer and the next try."""
        sent = np.array([attempt.sent for attempt in self.attempts])
        answered = np.array([attempt.answered for attempt in self.attempts])
        waits: FloatArray = sent[1:] - answered[:-1]
        return waits

    @property
    def after(self) -> float:
        """Seconds between the last answer and the end."""
        return self.ended - self.attempts[-1].answered


def watch(call: Call, *answers: Answer, verb: str = "GET") -> Seen:
    """Let a client call an API that gives these answers, one after the other; the last one again and again.

    Raises:
        CheckError: the client sent nothing, raised, or gave back something else than a response.
    """
    came = iter(answers)
    rehearsal = Rehearsal(lambda _now: next(came, answers[-1]), _MOST_TRIES)
    [outcome] = _run(rehearsal, call, verb)
    status = getattr(outcome.result, "status_code", None)
    if not isinstance(status, int) and outcome.finished:
        raise _broken(
            f"it gave back {outcome.result!r}, and not a response: return the last one",
            outcome.result,
        )
    return Seen(rehearsal.attempts, status or 0, outcome.at, rehearsal.stopped)


def rule_1(call: Call) -> None:
    """A call that passes costs one request, and no wait."""
    seen = watch(call, OK)
    if seen.before > _NOTHING:
        raise _broken(
            f"it waited {seen.before:.2f} s before the first try. The first try goes at once",
            seen.before,
        )
    if len(seen.attempts) > 1:
        raise _broken(f"a call that passed cost {_requests(seen)}", len(seen.attempts))
    _gives_back(seen, 200)
    if seen.after > _NOTHING:
        raise _broken(f"it waited {seen.after:.2f} s after the call had passed", seen.after)


def rule_2(call: Call) -> None:
    """After the throttle's 429 it waits, and tries again."""
    seen = watch(call, THROTTLED, THROTTLED, OK)
    if len(seen.attempts) < 3:
        raise _broken(
            f"it gave up after {_requests(seen)}, and the third would have passed",
            len(seen.attempts),
        )
    if seen.waits.min() <= _NOTHING:
        raise _broken(
            "it tried again at once. Call time.sleep(…) before each retry: that is what the checks see",
            0.0,
        )
    _gives_back(seen, 200)


def rule_3(call: Call) -> None:
    """The quota's 429 is given back at once."""
    for answers in ((OVER_QUOTA,), (THROTTLED, OVER_QUOTA)):
        seen = watch(call, *answers)
        more = len(seen.attempts) - len(answers)
        if more > 0:
            raise _broken(
                f"it sent {more} more after the quota was used up, which no wait brings back: "
                "look at x-amzn-ErrorType",
                more,
            )
    _gives_back(seen, 429)


def rule_4(call: Call) -> None:
    """Another 4xx is given back at once."""
    for answer in (BAD_REQUEST, UNAUTHORIZED, FORBIDDEN):
        seen = watch(call, answer)
        if len(seen.attempts) > 1:
            raise _broken(
                f"it sent {_requests(seen)} to hear {answer.status} each time. "
                "The same request gets the same answer: give it back",
                len(seen.attempts),
            )
        _gives_back(seen, answer.status)


def rule_5(call: Call) -> None:
    """After a 504 it tries a GET again, and a POST never."""
    seen = watch(call, TIMED_OUT, OK, verb="POST")
    if len(seen.attempts) > 1:
        raise _broken(
            "it sent a POST again after a 504. The first one may have done its work: "
            "then it is done twice",
            len(seen.attempts),
        )
    _gives_back(seen, 504)
    seen = watch(call, TIMED_OUT, OK)
    if len(seen.attempts) == 1:
        raise _broken("it gave a 504 back. A GET changes nothing, so try it again", 1)
    _gives_back(seen, 200)


def rule_6(call: Call) -> None:
    """It sends at most eight requests, and doesn't wait after the last."""
    seen = watch(call, THROTTLED)
    if seen.endless:
        raise _broken("it never gives up", len(seen.attempts))
    if len(seen.attempts) < TRIES:
        raise _broken(
            f"it gives up too early, after {_requests(seen)} of {TRIES}", len(seen.attempts)
        )
    if len(seen.attempts) > TRIES:
        raise _broken(
            f"it sent {_requests(seen)}, and {TRIES} is the limit: the first one counts too",
            len(seen.attempts),
        )
    _gives_back(seen, 429)
    if seen.after > _NOTHING:
        raise _broken(f"it waited {seen.after:.2f} s after its last try, for nothing", seen.after)


def rule_7(call: Call) -> None:
    """The longest possible wait doubles from 0.25 s on, up to 4 s."""
    longest = _waits(call).max(axis=0)
    for number, (wait, ceiling) in enumerate(zip(longest, ceilings(), strict=False), start=1):
        took = f"wait {number} took up to {wait:.2f} (in seconds)"
        if wait > ceiling + _NOTHING and ceiling == CAP:
            raise _broken(f"{took}, and no wait is longer than {CAP:g}: it needs a cap", wait)
        if wait > ceiling + _NOTHING:
            raise _broken(f"{took}, and {ceiling:g} is the most", wait)
        if wait < ceiling / 2:
            raise _broken(
                f"{took}, and may take up to {ceiling:g}: the waits don't grow as they should",
                wait,
            )


def rule_8(call: Call) -> None:
    """Each wait is drawn by chance, from 0 up to the longest."""
    waits = _waits(call)
    spread = np.ptp(waits, axis=0)
    if spread.min() <= _NOTHING:
        raise _broken(
            f"no jitter: wait {spread.argmin() + 1} is the same on every run, so clients that failed "
            "together come again together",
            0.0,
        )
    least = float((waits / waits.max(axis=0)).min())
    if least > 0.2:
        raise _broken(
            f"too little jitter: no wait was shorter than {least:.0%} of the longest. "
            "Draw it from 0 on",
            least,
        )


def rule_9(call: Call) -> None:
    """Fifty clients that call at once all get through, without a storm."""
    fresh = TokenBucket(BUCKET.rate, BUCKET.burst)
    rehearsal = Rehearsal(lambda now: OK if fresh.take(now) else THROTTLED, MOST_REQUESTS)
    _run(rehearsal, call, clients=CLIENTS)
    if rehearsal.stopped:
        raise _broken(
            f"a storm: {CLIENTS} calls sent more than {MOST_REQUESTS} requests", MOST_REQUESTS
        )
    run = run_of(rehearsal.attempts, CLIENTS, "yours")
    if run.given_up:
        raise _broken(f"{run.given_up} of {CLIENTS} clients didn't get through", run.given_up)


RULES: tuple[Rule, ...] = (
    rule_1,
    rule_2,
    rule_3,
    rule_4,
    rule_5,
    rule_6,
    rule_7,
    rule_8,
    rule_9,
)


def kept(call: Call) -> list[int]:
    """Check every rule, and print which are kept, and a hint for each other one.

    A client that waits for something else than ``time.sleep`` ends the checks.

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


def ceilings() -> FloatArray:
    """The longest that each wait may take, in seconds.

    >>> ceilings().tolist()
    [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    """
    longest: FloatArray = np.minimum(CAP, BASE * 2.0 ** np.arange(TRIES - 1))
    return longest


def _waits(call: Call) -> FloatArray:
    """The waits of many clients between their tries, a row for each client.

    Raises:
        CheckError: one doesn't try again.
    """
    rehearsal = Rehearsal(lambda _now: THROTTLED, _RUNS * 20)
    _run(rehearsal, call, clients=_RUNS)
    rows = []
    for number in range(_RUNS):
        mine = [attempt for attempt in rehearsal.attempts if attempt.client == number]
        rows.append(Seen(mine, 0, 0.0, endless=False).waits[: TRIES - 1])
    fewest = min(map(len, rows))
    if fewest == 0 or max(row.max() for row in rows) <= _NOTHING:
        raise _broken("it never waits and tries again", fewest)
    return np.array([row[:fewest] for row in rows])


def _run(rehearsal: Rehearsal, call: Call, verb: str = "GET", *, clients: int = 1) -> list[Outcome]:
    """Let the clients call.

    Raises:
        CheckError: it is no plain function; or one of them raised, or sent nothing.
    """
    if inspect.iscoroutinefunction(call):
        raise _broken("it is async. Write a plain function: def, without async and await", call)
    outcomes = rehearsal.run(call, verb, clients=clients)
    error = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
    of_requests = isinstance(error, requests.RequestException)
    if not rehearsal.attempts and (of_requests or error is None):
        raise _broken(
            "it sent nothing over the session that it got. Send with http.request(verb, url), "
            "and leave the session's adapters in their place",
            "nothing",
        )
    if error is not None:
        words = f"it raised {type(error).__name__}: {error}"
        if len(words) > _LONGEST_ERROR:
            words = words[:_LONGEST_ERROR].rstrip() + " …"
        if of_requests:
            words += ". Give the last response back"
        if isinstance(error, requests.exceptions.RetryError):
            words += ": urllib3's Retry does so with raise_on_status=False"
        raise _broken(words, error)
    return outcomes


def _gives_back(seen: Seen, status: int) -> None:
    if seen.status != status:
        raise _broken(
            f"it gave back {seen.status}, and the last answer was {status}", seen.status, status
        )


def _requests(seen: Seen) -> str:
    count = len(seen.attempts)
    return "1 request" if count == 1 else f"{count} requests"


def _broken(hint: str, actual: object, expected: object = None) -> CheckError:
    return CheckError(f"{hint}.", expected=expected, actual=actual)
