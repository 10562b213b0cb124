"""Quotas: what is left in a period, its first one with the offset taken off (6.17)."""

import datetime as dt
from typing import Any

import pytest

from labkit.local.apigateway.rest.key_use import KeyUse
from labkit.local.apigateway.rest.usage_plans import UsagePlans

KEY = "key0000001"


class NoKeys:
    """The control plane isn't asked here."""

    def api_key(self, value: str) -> dict[str, Any] | None:
        raise NotImplementedError

    def usage_plans_of(self, key_id: str, api_id: str, stage: str) -> list[dict[str, Any]]:
        raise NotImplementedError


class Calendar:
    """A clock that stands still, until it is told another day."""

    def __init__(self) -> None:
        self.today = dt.date(2026, 11, 20)

    def __call__(self) -> float:
        noon = dt.datetime.combine(self.today, dt.time(12), dt.UTC)
        return noon.timestamp()


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def usage_plans(calendar: Calendar) -> UsagePlans:
    return UsagePlans(NoKeys(), calendar)


def plan(period: str = "DAY", *, offset: int = 0) -> dict[str, Any]:
    return {"id": "plan", "quota": {"limit": 10, "offset": offset, "period": period}}


def test_the_offset_is_taken_off_the_first_period_only(
    usage_plans: UsagePlans, calendar: Calendar
) -> None:
    usage_plans.begin("plan")
    monthly = plan("MONTH", offset=4)
    assert usage_plans.remaining(monthly, KEY) == 6
    calendar.today = dt.date(2026, 11, 30)
    assert usage_plans.remaining(monthly, KEY) == 6
    calendar.today = dt.date(2026, 12, 1)
    assert usage_plans.remaining(monthly, KEY) == 10
    november, december = usage_plans.usage(
        monthly, KEY, dt.date(2026, 11, 30), dt.date(2026, 12, 1)
    )
    assert (november, december) == ([0, 6], [0, 10])


def test_get_usage_shows_an_extension_in_its_own_period(
    usage_plans: UsagePlans, calendar: Calendar
) -> None:
    daily = plan()
    usage_plans.begin("plan")
    for _ in range(10):
        usage_plans.count(KeyUse(KEY, "value", daily, {}))
    assert usage_plans.remaining(daily, KEY) == 0
    usage_plans.grant("plan", KEY, 3, daily)
    assert usage_plans.remaining(daily, KEY) == 3
    today = calendar.today
    calendar.today += dt.timedelta(days=1)
    assert usage_plans.usage(daily, KEY, today, calendar.today) == [[10, 3], [0, 10]]


def test_a_plan_without_a_quota_has_no_limit(usage_plans: UsagePlans, calendar: Calendar) -> None:
    unlimited = {"id": "plan"}
    assert usage_plans.remaining(unlimited, KEY) is None
    assert usage_plans.usage(unlimited, KEY, calendar.today, calendar.today) == [[0, 0]]
