"""What a check says: what is missing and the next step, or that the task is done."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from labkit import markup


class Missing(Exception):  # noqa: N818 - a state of the cloud, which labkit.errors.TaskError tells the learner
    """The first thing that a task lacks.

    Args:
        what: a sentence about the cloud.
        step: the next step, a sentence.
        late: whether AWS may only not have it yet: it spreads changes, and doesn't say when that is done.
    """

    def __init__(self, what: str, step: str, *, late: bool = False) -> None:
        super().__init__(f"{what} {step}")
        self.what = what
        self.step = step
        self.late = late


@dataclass(frozen=True, slots=True)
class Look:
    """What a check may look with, beside boto3.

    Attributes:
        http: reaches the deployed API.
        given: what the learner hands over, such as a response or a token; None for nothing.
    """

    http: requests.Session
    given: object = None

    def get(self, url: str, **headers: str) -> requests.Response:
        """The deployed API's answer.

        Raises:
            Missing: there is none, as it may be for a while after an API was made.
        """
        try:
            return self.http.get(url, headers=headers, timeout=30)
        except requests.RequestException as error:
            raise Missing(
                f"Your API's URL gives no answer ({type(error).__name__}).",
                "Is this computer online? Then check again in a minute.",
                late=True,
            ) from None

    def response(self, task: str) -> requests.Response:
        """The response that a task's text says to hand over.

        Raises:
            Missing: it is something else.
        """
        if isinstance(self.given, requests.Response):
            return self.given
        raise Missing(
            f"You handed over {type(self.given).__name__}, not the answer of a request.",
            f'Run your cell, then lab.check("{task}", response).',
        )


@dataclass(frozen=True, slots=True)
class Done:
    """A task that is done.

    Attributes:
        task: its number.
        sentence: what is there now.
    """

    task: str
    sentence: str

    def __str__(self) -> str:
        return markup.plain(f"✓ Task {self.task} is done. {self.sentence}")

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same words."""
        style = "border-left:4px solid var(--jp-success-color1,currentColor);padding-left:8px;"
        return markup.tag("div", markup.sentence(str(self)), role="status", style=style)
