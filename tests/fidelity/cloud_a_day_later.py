"""A local cloud that looks at tokens a day later."""

from __future__ import annotations

import sys
import time
from typing import Any

from labkit.clock import PROCESS_CLOCK
from labkit.local.front.application import CloudApplication
from labkit.local.front.compose import compose
from labkit.local.settings import CloudSettings
from tests.support.start import serve


def compose_a_day_later(settings: CloudSettings, **callbacks: Any) -> CloudApplication:
    return compose(
        settings, clock=lambda: time.time() + 86_400, process_clock=PROCESS_CLOCK, **callbacks
    )


if __name__ == "__main__":
    sys.exit(serve(compose_a_day_later))
