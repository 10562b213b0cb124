"""Groups: which role one may have, and its place among the others.

Facts: cognito 9.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from labkit.local.engine import Operation, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]


class Roles(Protocol):
    """What is asked of IAM."""

    def may_pass(self, role_arn: str, region: str, service: str) -> bool:
        """Whether the signer of the request may pass a role to a service."""


class Groups:
    """Making and changing groups.

    Whoever gives a group a role must be allowed to pass it: an identity pool may give it to the group's members.

    Args:
        user_pools: where groups are.
        roles: who may pass which.
        clock: seconds since the epoch.
    """

    def __init__(self, user_pools: UserPools, roles: Roles, *, clock: Callable[[], float]) -> None:
        self._user_pools = user_pools
        self._roles = roles
        self._clock = clock

    async def create(self, body: JsonObject, proceed: Operation) -> Response:
        """``CreateGroup``: without ``Precedence`` a group is the weakest (cognito 9.2), in MiniStack the strongest."""
        self._check_pass_role(body)
        response = await proceed("CreateGroup", body)
        if response.status != 200 or "Precedence" in body:
            return response
        self._user_pools.unset_precedence(body["UserPoolId"], body["GroupName"])
        answer = response.json()
        del answer["Group"]["Precedence"]
        return json_response(answer)

    async def update(self, body: JsonObject, proceed: Operation) -> Response:
        """``UpdateGroup``: what is left out stays."""
        self._check_pass_role(body)
        members = ("Description", "RoleArn", "Precedence")
        changes: JsonObject = {name: body[name] for name in members if name in body}
        changes["LastModifiedDate"] = self._clock()
        group = self._user_pools.change_group(body["UserPoolId"], body["GroupName"], changes)
        if group is None:
            return await proceed("GetGroup", body)  # which says what there isn't
        return json_response(
            {"Group": {name: value for name, value in group.items() if value is not None}}
        )

    def _check_pass_role(self, body: JsonObject) -> None:
        role_arn = body.get("RoleArn")
        region = body["UserPoolId"].partition("_")[0]
        if role_arn and not self._roles.may_pass(role_arn, region, "cognito-idp.amazonaws.com"):
            raise ApiError("NotAuthorizedException", f"Access to Role '{role_arn}' is forbidden.")
