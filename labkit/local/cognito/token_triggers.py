"""The pre token generation trigger: invoked with a permission only, and without its answer there is no token.

Nor does it change who the user is: these claims stay as they are.

Facts: cognito 9; what AWS says in public issues (anomalyco/sst#4421, aws-amplify/amplify-js#9127).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labkit.local.cognito.triggers import (
    check_permission,
    function_error,
    response_of,
    unrecognizable,
)
from labkit.local.engine import Functions, UserPool

JsonObject = dict[str, Any]

_KEPT_CLAIMS = frozenset(
    """
    acr amr auth_time client_id event_id exp iat identities iss jti nonce origin_jti sub token_use username
    """.split()
)
"""What a trigger can't change (cognito 9.5), besides what begins with one of these:"""
_RESERVED = ("cognito:", "dev:")
_GROUPS = "cognito:groups"
"""Which has a setting of its own, ``groupsToOverride``."""
_OVERRIDES = ("claimsOverrideDetails", "claimsAndScopeOverrideDetails")
_SHAPES: dict[str, type] = {
    "accessTokenGeneration": dict,
    "claimsToAddOrOverride": dict,
    "claimsToSuppress": list,
    "groupOverrideDetails": dict,
    "groupsToOverride": list,
    "idTokenGeneration": dict,
    "scopesToAdd": list,
    "scopesToSuppress": list,
}


class TokenTrigger:
    """Stands between MiniStack, which would give out tokens without the function, and the function.

    Args:
        functions: what may be invoked.
    """

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def __call__(
        self, pool: UserPool, claims: Mapping[str, Any], invoke: Callable[[], JsonObject]
    ) -> JsonObject:
        """The claims after the trigger.

        Args:
            pool: the user pool.
            claims: those before it.
            invoke: what MiniStack does: runs the function if there is one, and changes the claims.

        Raises:
            ApiError: Cognito may not invoke the function, or it failed.
        """
        settings = pool.get("LambdaConfig") or {}
        latest = settings.get("PreTokenGenerationConfig") or {}
        function = latest.get("LambdaArn") or settings.get("PreTokenGeneration")
        if not function:
            return invoke()
        check_permission(self._functions, pool, "PreTokenGeneration", function)
        try:
            return with_kept_claims(claims, invoke())
        except RuntimeError as error:
            raise function_error("PreTokenGeneration", str(error)) from error


def with_kept_claims(before: Mapping[str, Any], after: JsonObject) -> JsonObject:
    """The claims after a trigger, without its changes of those that are kept.

    >>> with_kept_claims({"sub": "1"}, {"sub": "2", "team": "red"})
    {'sub': '1', 'team': 'red'}
    """
    is_access = before.get("token_use") == "access"

    def kept(name: str) -> bool:
        reserved = name.startswith(_RESERVED) and name != _GROUPS
        return name in _KEPT_CLAIMS or reserved or (name == "aud" and not is_access)

    names = [name for name in before if kept(name) or name in after]
    found = {name: before[name] if kept(name) else after[name] for name in names}
    found |= {name: value for name, value in after.items() if name not in before and not kept(name)}
    if is_access and found.get("aud") != found.get("client_id"):  # another app's
        found.pop("aud", None)
    return found


def check_answer(answer: object) -> None:
    """Refuse what a trigger may not return; MiniStack gives out tokens all the same.

    Raises:
        ApiError: ``InvalidLambdaResponseException``.
    """
    if not all(map(_is_shaped, _overrides(response_of(answer)))):
        raise unrecognizable()


def _overrides(response: JsonObject) -> list[Any]:
    return [response[name] for name in _OVERRIDES if response.get(name) is not None]


def _is_shaped(details: object) -> bool:
    return isinstance(details, dict) and all(
        value is None or (isinstance(value, shape) and (shape is list or _is_shaped(value)))
        for name, shape in _SHAPES.items()
        for value in [details.get(name)]
    )
