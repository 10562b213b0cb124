"""What a caller needs beside the permission for its call: to pass a role to API Gateway, to change a resource policy.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar

from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.json_protocol import ApiError

AskPermission = Callable[[str, str], str | None]
"""AWS's words when the caller may not do an action on a resource: (action, ARN); None when it may."""

ASK: ContextVar[AskPermission] = ContextVar("ASK")
"""Set for each call; where nobody set it, nobody may do anything."""

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
    _check("iam:PassRole", arn)


def check_policy_change(api_id: str, region: str) -> None:
    """Refuse a resource policy from who may change the API, but not its policy (iam 5.4).

    Args:
        api_id: the API; empty for one that is being made.
        region: its Region.

    Raises:
        ApiError: ``AccessDeniedException``.
    """
    path = f"/restapis/{api_id}" if api_id else "/restapis"
    _check("apigateway:UpdateRestApiPolicy", f"arn:aws:apigateway:{region}::{path}")


def _check(action: str, arn: str) -> None:
    words = ASK.get()(action, arn)
    if words is not None:
        raise ApiError("AccessDeniedException", words, 403)
