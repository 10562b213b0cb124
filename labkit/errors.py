"""One root, :class:`LabkitError`; a subclass for each action that the caller can take.

Every message is one or two sentences: the cause, then the next step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class LabkitError(Exception):
    """Anything that labkit refuses or can't do."""


class SetupError(LabkitError):
    """The machine or its settings need a change (a port, a permission, a package, an AWS profile)."""


class CloudUnavailableError(LabkitError):
    """The local cloud doesn't answer: run ``lab = labkit.start()`` again."""


class UnknownQuestionError(LabkitError):
    """The course has no question of this name: write it as the notebook does."""


class UnknownTaskError(LabkitError, ValueError):
    """The course has no task of this number: write it as the notebook does."""


class CopyError(LabkitError):
    """A learner's copy of a notebook can't be made or laid: change what the message names."""


class UnknownNotebookError(LabkitError, ValueError):
    """The course has no notebook of this name: choose one that it has."""


class ForeignHostError(LabkitError):
    """``lab.http`` or ``labkit.fire`` was aimed at a host that isn't the lab's own."""


class BurstError(LabkitError, ValueError):
    """A burst can't be sent as asked: make it smaller or shorter, and give one request for each client."""


class NoMessageError(LabkitError):
    """No e-mail arrived in time: start the sign-in again and look at the address."""


class TokenError(LabkitError):
    """A token can't be read: get another one or look at how it was copied."""


class InvalidTokenError(TokenError):
    """A token doesn't pass a check: get another one, or look at what the check wants.

    Attributes:
        check: the check that failed: ``format``, ``alg``, ``kid``, ``signature``, the name of a claim (``iss``,
            ``exp``, ``nbf``, ``iat``, ``token_use``, ``aud``, ``client_id``, ``scope``), ``client`` (the user pool's
            app clients) or ``validation`` (an authorizer's token validation).
        reason: why, without the next step.
        evidence: what the check saw.
    """

    def __init__(
        self, reason: str, *, check: str, evidence: Mapping[str, Any], next_step: str = ""
    ) -> None:
        super().__init__(f"{reason[:1].upper()}{reason[1:].rstrip('.')}. {next_step}".strip())
        self.check = check
        self.reason = reason
        self.evidence = evidence


class KeysUnreachableError(LabkitError):
    """An issuer's public keys can't be fetched, so nothing is known of the token: look at the issuer, try again.

    Attributes:
        url: where the keys should be.
    """

    def __init__(self, message: str, *, url: str) -> None:
        super().__init__(message)
        self.url = url


class SigningError(LabkitError):
    """A request can't be signed as it is: change what the message names."""


class JourneyUnknownError(LabkitError):
    """No journey is kept for this response (another cloud, or too long ago): send the request again."""


class ClockError(LabkitError, ValueError):
    """The lab's clock can't be moved this way: give another length of time, or start a fresh cloud."""


class CheckError(LabkitError, AssertionError):
    """A check of the notebook failed: the answer isn't the expected one.

    Attributes:
        expected: what the check wanted.
        actual: what came.
        response: the answer that it came with, where there is one.
    """

    def __init__(
        self, message: str, *, expected: object, actual: object, response: object = None
    ) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual
        self.response = response


class TaskError(LabkitError, AssertionError):
    """A task isn't done: do what the message says, then check again.

    Attributes:
        task: its number.
        card: what to show of it, as :class:`labkit.markup.Block`: what is missing, the next step, the hints.
    """

    def __init__(self, message: str, *, task: str, card: Sequence[Any]) -> None:
        super().__init__(message)
        self.task = task
        self.card = card


class VirtualTimeError(LabkitError):
    """Code in virtual time waits with something else than the ``sleep`` that it gets: change the code."""


class CleanUpError(LabkitError):
    """Something of the course is left over: run ``lab.clean_up()`` again.

    Attributes:
        left: the names or ARNs of what is left.
    """

    def __init__(self, message: str, *, left: list[str]) -> None:
        super().__init__(message)
        self.left = left
