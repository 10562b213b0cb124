"""The pre token generation trigger: invoked with a permission only, and without its answer there is no token.

Facts: facts/cognito.md section 9; what AWS says in public issues (anomalyco/sst#4421, aws-amplify/amplify-js#9127).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.local.engine import Engine
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]


class TokenTrigger:
    """Stands between MiniStack, which would give out tokens without the function, and the function.

    Args:
        engine: knows the functions.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, pool: JsonObject, invoke: Callable[[], JsonObject]) -> JsonObject:
        """The claims after the trigger.

        Args:
            pool: the user pool's live record.
            invoke: what MiniStack does: runs the function if there is one, and changes the claims.

        Raises:
            ApiError: Cognito may not invoke the function, or it failed.
        """
        settings = pool.get("LambdaConfig") or {}
        latest = settings.get("PreTokenGenerationConfig") or {}
        function = latest.get("LambdaArn") or settings.get("PreTokenGeneration")
        if function and not self._engine.function_allows(
            function, "cognito-idp.amazonaws.com", pool["Arn"]
        ):
            raise ApiError(
                "UnexpectedLambdaException",
                "PreTokenGeneration invocation failed due to error AccessDeniedException.",
            )
        try:
            return invoke()
        except RuntimeError as error:
            raise ApiError(
                "UserLambdaValidationException", f"PreTokenGeneration failed with error {error}."
            ) from error
