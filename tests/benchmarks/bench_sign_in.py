"""How long a sign-in takes with many users, and with a name that nobody has.

    python tests/benchmarks/bench_sign_in.py

One process: user pools with 100 and with 10,000 users, called by turns, by the name and by the verified alias. The
targets: with 10,000 users at most 1.1 times as long as with 100, and a refusal of a name that nobody has as long as one
of a user's, within 5 %: else the time would tell who exists.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from peers import Verdict, percentile
from targets import by_turns

from tests.support.in_process_cloud import Cognito, cognito_in_use

FEW, MANY = 100, 10_000
PASSWORD = "Correct-1234"
OTHERS = (60, 10, 50)
"""How many rounds, calls a round, calls to warm up."""
SRP = (20, 3, 3)
"""The same for SRP, which takes a hundred times as long."""
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH"]


def make_users(cognito: Cognito, count: int) -> str:
    """A pool with that many users; its app client."""
    pool = cognito.pool("PASSWORD", "EMAIL_OTP")
    client = cognito.client(pool, ExplicitAuthFlows=FLOWS)
    for number in range(count):
        cognito.user(pool, f"user-{number}@example.com", TemporaryPassword=PASSWORD)
    cognito.set_password(pool, PASSWORD, f"user-{count // 2}@example.com")
    return client


def seconds(call: Callable[[], object]) -> float:
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def main() -> int:
    verdict = Verdict("Signing in, by turns")
    with cognito_in_use() as cognito:
        clients = {count: make_users(cognito, count) for count in (FEW, MANY)}
        # Every password here is of another name, or right: no lockout answers in place of the check.
        wrong = iter(range(10**9))

        def start(flow: str, count: int, name: str, **parameters: str) -> Callable[[], float]:
            def call() -> float:
                cognito.clock.advance(1000)
                cognito.service._attempts._attempts.clear()
                return seconds(
                    lambda: cognito.call(
                        "InitiateAuth",
                        AuthFlow=flow,
                        ClientId=clients[count],
                        AuthParameters={"USERNAME": name, **parameters},
                    )
                )

            return call

        def user_of(count: int) -> str:
            return f"user-{count // 2}@example.com"

        kinds = {
            "password": ("USER_PASSWORD_AUTH", {"PASSWORD": PASSWORD}),
            "SRP": ("USER_SRP_AUTH", {"SRP_A": "abc123" + "f" * 700}),
            "EMAIL_OTP": ("USER_AUTH", {"PREFERRED_CHALLENGE": "EMAIL_OTP"}),
        }
        for kind, (flow, parameters) in kinds.items():
            samples = by_turns(
                {str(n): start(flow, n, user_of(n), **parameters) for n in (FEW, MANY)},
                *(SRP if kind == "SRP" else OTHERS),
            )
            few, many = (percentile(samples[str(n)], 50) for n in (FEW, MANY))
            verdict.ratio(f"{kind}, p50, {MANY} users", many, few, f"{FEW} users")
            verdict.at_most(kind, many / few, 1.1, "")
        kinds["password"] = ("USER_PASSWORD_AUTH", {"PASSWORD": "Wrong-1234"})
        for kind, (flow, parameters) in kinds.items():
            samples = by_turns(
                {
                    "known": start(flow, MANY, user_of(MANY), **parameters),
                    "unknown": start(flow, MANY, f"nobody-{next(wrong)}@example.com", **parameters),
                },
                *(SRP if kind == "SRP" else OTHERS),
            )
            known, unknown = (percentile(samples[who], 50) for who in ("known", "unknown"))
            verdict.ratio(f"{kind}, p50, unknown name", unknown, known, "known name")
            verdict.at_most(kind, max(unknown / known, known / unknown), 1.05, "")
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
