"""What build waits for in AWS."""

import requests

from labkit.course.build import wait_until


def test_a_name_that_nobody_knows_yet_is_waited_for() -> None:
    looks: list[bool] = []

    def is_so() -> bool:
        looks.append(True)
        if len(looks) == 1:
            raise requests.ConnectionError("Failed to resolve")
        return True

    wait_until(is_so)
    assert len(looks) == 2
