"""The two ends of a sign-in: the pre authentication trigger, and after the last right answer the tokens.

Facts: cognito 3.4, 15.
"""

from __future__ import annotations

from typing import Any

from labkit.local.cognito.sign_in_names import hides_existence
from labkit.local.cognito.triggers import Triggers, attributes_in_event
from labkit.local.engine import User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]


class SignInEnds:
    """Begins and completes sign-ins, whatever is between.

    Args:
        user_pools: sign tokens.
        triggers: run what the pool wants run.
    """

    def __init__(self, user_pools: UserPools, triggers: Triggers) -> None:
        self._user_pools = user_pools
        self._triggers = triggers

    async def begin(
        self,
        pool: UserPool,
        client: UserPoolClient,
        user: User | None,
        username: str,
        body: JsonObject,
    ) -> None:
        """Run the pre authentication trigger: before the password or the code is looked at.

        Args:
            pool: the user pool.
            client: the app client.
            user: who signs in; None for nobody.
            username: the user's, or what is in its place.
            body: the request that starts the sign-in.

        Raises:
            ApiError: the trigger refuses the sign-in.
        """
        request: JsonObject = {
            "userAttributes": {} if user is None else attributes_in_event(user),
            "validationData": body.get("ClientMetadata"),
        }
        if hides_existence(client):
            request["userNotFound"] = user is None
        await self._triggers.run(
            pool,
            "PreAuthentication",
            "Authentication",
            username=username,
            client_id=client["ClientId"],
            request=request,
        )

    async def complete(
        self,
        pool: UserPool,
        client: UserPoolClient,
        user: User,
        client_metadata: JsonObject | None,
        token_source: str = "TokenGeneration_Authentication",  # noqa: S107 - no password
    ) -> Response:
        """Run the post authentication trigger and answer with tokens (cognito 3.4).

        Args:
            pool: the user pool.
            client: the app client.
            user: who has signed in.
            client_metadata: of the answer that was right; never of the call that started.
            token_source: ``triggerSource`` of the pre token generation trigger (cognito 9.6).

        Raises:
            ApiError: a trigger refuses the sign-in.
        """
        request: JsonObject = {
            "userAttributes": attributes_in_event(user),
            "newDeviceUsed": False,
        }
        if client_metadata:
            request["clientMetadata"] = client_metadata
        await self._triggers.run(
            pool,
            "PostAuthentication",
            "Authentication",
            username=user.username,
            client_id=client["ClientId"],
            request=request,
        )
        result = await self._user_pools.issue_tokens(
            pool["Id"], client["ClientId"], user.username, client_metadata, token_source
        )
        return json_response({"ChallengeParameters": {}, "AuthenticationResult": result})
