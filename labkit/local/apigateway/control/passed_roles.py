"""Roles that a caller gives to API Gateway: it must be allowed to pass them (``iam:PassRole``).

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar

from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.json_protocol import ApiError

PassRoleError = Callable[[str], str | None]
"""AWS's words when the caller may not pass a role to API Gateway, by the role's ARN; None when it may."""

ASK: ContextVar[PassRoleError] = ContextVar("ASK")
"""Set for each call; where nobody set it, nobody may pass a role."""

CALLER_S_OWN = "arn:aws:iam::*:user/*"
"""In the place of a role: the caller's own credentials."""
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/.+")


def check_passed_role(arn: str, account_id: str) -> None:
    """Refuse a role that the caller may not pass.

    Args:
        arn: the role.
        account_id: whose APIs these are.

    Raises:
        ApiError: ``BadRequestException`` for what is no role, ``AccessDeniedException``.
    """
    match = _ROLE.fullmatch(arn)
    if match is None:
        raise bad_request("Invalid ARN specified in the request")
    if match["account"] != account_id:
        raise ApiError("AccessDeniedException", "Cross-account pass role is not allowed.", 403)
    words = ASK.get()(arn)
    if words is not None:
        raise ApiError("AccessDeniedException", words, 403)
