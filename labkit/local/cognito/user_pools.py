"""Cognito user pools: MiniStack's control plane, corrected, and the choice-based sign-in that it lacks.

Every operation passes MiniStack's signature and IAM checks before anything here sees it
(:meth:`labkit.local.engine.operations.Operations.answer_with`). Each correction is a file of its own: ``signin``,
``password_challenges``, ``user_accounts``, ``user_pool_settings``, ``refresh``, ``issued_tokens``, ``token_triggers``.
"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from labkit.local.cognito import password_challenges, refresh
from labkit.local.cognito.challenge_sessions import ChallengeSessions
from labkit.local.cognito.issued_tokens import IssuedTokens
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.sealed_tokens import TokenSeal
from labkit.local.cognito.signin import ChoiceBasedSignIn
from labkit.local.cognito.token_triggers import TokenTrigger, check_answer
from labkit.local.cognito.user_accounts import ATTRIBUTE_PARAMETERS, UserAccounts, with_values
from labkit.local.cognito.user_pool_settings import UserPoolSettings
from labkit.local.engine import Engine, Operation, UserPool, UserPoolClient
from labkit.local.json_protocol import (
    ApiError,
    ServiceModel,
    body_of,
    error_type_of,
    json_response,
    with_protocol_headers,
)
from labkit.local.messages import Request, Response
from labkit.local.random_ids import new_uuid

JsonObject = dict[str, Any]

TARGET_PREFIX = "AWSCognitoIdentityProviderService."
"""How ``X-Amz-Target`` begins (cognito 0.1)."""

_UNKNOWN_TO_MINISTACK = ("Unsupported AuthFlow: ", "Unsupported challenge: ")
_PAGE = re.compile(r"[0-9]{1,9}")
_CLIENT_NOT_FOUND = re.compile(r"Client (\S+) not found\.")
_CHOICES = frozenset({"SELECT_CHALLENGE", "EMAIL_OTP"})
# These MiniStack guards itself: the first by its proof, the second by the course's own functions.
_GUARDED_BY_MINISTACK = frozenset({"PASSWORD_VERIFIER", "CUSTOM_CHALLENGE"})


def draw_digits(count: int) -> str:
    """That many random digits, unguessable."""
    return "".join(secrets.choice("0123456789") for _ in range(count))


class UserPoolService:
    """Answers the requests whose ``X-Amz-Target`` starts with :data:`TARGET_PREFIX`.

    Args:
        engine: MiniStack; it need not be started yet.
        mailbox: takes every mail that Cognito sends.
        clock: seconds since the epoch.
        numbers: for ids, which are no secret.
        draw_digits: that many random digits, for codes.
    """

    def __init__(
        self,
        engine: Engine,
        mailbox: Mailbox,
        *,
        clock: Callable[[], float],
        numbers: random.Random,
        draw_digits: Callable[[int], str],
    ) -> None:
        self._numbers = numbers
        self._forward = engine.forward
        self._user_pools = user_pools = engine.user_pools
        self._model = ServiceModel("cognito-idp")
        seal = TokenSeal()
        sessions = ChallengeSessions(clock=clock)
        self._sessions = sessions
        self._issued = IssuedTokens(user_pools, seal, numbers)
        self._sign_in = ChoiceBasedSignIn(
            user_pools, mailbox, sessions, clock=clock, draw_digits=draw_digits
        )
        self._challenges = password_challenges.PasswordChallenges(
            user_pools, sessions, self._sign_in, clock=clock
        )
        self._refresh = refresh.Refresh(
            user_pools, seal, self._issued, clock=clock, numbers=numbers
        )
        accounts = UserAccounts(user_pools, engine.iam, mailbox, sessions, clock=clock)
        settings = UserPoolSettings(user_pools)
        self._operations: dict[str, Callable[[JsonObject, Operation], Awaitable[Response]]] = {
            "AdminCreateUser": accounts.admin_create_user,
            "AdminInitiateAuth": partial(self._initiate_auth, "AdminInitiateAuth"),
            "AdminRespondToAuthChallenge": partial(self._respond, "AdminRespondToAuthChallenge"),
            "AdminSetUserPassword": partial(accounts.set_password, "AdminSetUserPassword"),
            "AdminUpdateUserAttributes": accounts.admin_update_attributes,
            "AssociateSoftwareToken": self._challenges.associate_software_token,
            "ChangePassword": accounts.change_password,
            "ConfirmForgotPassword": partial(accounts.set_password, "ConfirmForgotPassword"),
            "ConfirmSignUp": accounts.confirm_sign_up,
            "CreateGroup": accounts.create_group,
            "CreateUserPool": settings.create_user_pool,
            "CreateUserPoolClient": settings.create_client,
            "DeleteUserPool": settings.delete_user_pool,
            "ForgotPassword": partial(accounts.mask_destination, "ForgotPassword"),
            "GetTokensFromRefreshToken": self._refresh.get_tokens,
            "GetUserAuthFactors": accounts.user_auth_factors,
            "InitiateAuth": partial(self._initiate_auth, "InitiateAuth"),
            "ResendConfirmationCode": partial(accounts.mask_destination, "ResendConfirmationCode"),
            "RespondToAuthChallenge": partial(self._respond, "RespondToAuthChallenge"),
            "RevokeToken": self._refresh.revoke,
            "SetUserPoolMfaConfig": settings.set_mfa_configuration,
            "SignUp": accounts.sign_up,
            "UpdateUserAttributes": accounts.update_attributes,
            "UpdateUserPool": settings.update_user_pool,
            "UpdateUserPoolClient": settings.update_client,
            "VerifySoftwareToken": self._challenges.verify_software_token,
        }
        engine.cognito_mail.deliver_with(mailbox.deliver)
        engine.cognito_mail.draw_codes_with(lambda: draw_digits(6))
        user_pools.operations.answer_with(self._answer)
        engine.token_generation.run_trigger_with(TokenTrigger(engine.functions), check_answer)

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises for what a client may send."""
        operation = (request.header("x-amz-target") or "").removeprefix(TARGET_PREFIX)
        try:
            self._model.check(operation, body_of(request))
        except ApiError as refusal:
            return with_protocol_headers(refusal.response, new_uuid(self._numbers))
        response = await self._forward(request)
        return with_protocol_headers(_in_aws_words(operation, response), new_uuid(self._numbers))

    async def _answer(self, operation: str, body: JsonObject, proceed: Operation) -> Response:
        # A parameter that is null is one that wasn't sent.
        body = {name: value for name, value in body.items() if value is not None}
        body |= {name: with_values(body[name]) for name in ATTRIBUTE_PARAMETERS if body.get(name)}
        own = self._operations.get(operation)
        try:
            _check_page(operation, body)
            return await (own(body, proceed) if own else proceed(operation, body))
        except ApiError as refusal:
            return refusal.response

    async def _initiate_auth(
        self, operation: str, body: JsonObject, proceed: Operation
    ) -> Response:
        if body["AuthFlow"] in refresh.FLOWS:
            return await self._refresh.initiate_auth(operation, body, proceed)
        # MiniStack first: it finds the client and checks SECRET_HASH, also for the flow that it doesn't know.
        response = await proceed(operation, body)
        found = self._user_pools.find_client(body["ClientId"])
        if found is None:
            return response
        pool, client = found
        if body["AuthFlow"] == "USER_AUTH" and _is_unknown_to_ministack(response):
            response = await self._sign_in.initiate(pool, client, body)
        typed_name = (body.get("AuthParameters") or {}).get("USERNAME", "")
        return self._finished(pool, client, typed_name, response)

    async def _respond(self, operation: str, body: JsonObject, proceed: Operation) -> Response:
        name = body["ChallengeName"]
        found = self._user_pools.find_client(body["ClientId"])
        if found is None or name in _GUARDED_BY_MINISTACK | _CHOICES:
            response = await proceed(operation, body)
        if found is None:
            return response
        pool, client = found
        typed_name = (body.get("ChallengeResponses") or {}).get("USERNAME", "")
        if name in _CHOICES:
            if not _is_unknown_to_ministack(response):
                return response
            response = await self._sign_in.respond(pool, client, body)
        elif name in password_challenges.NAMES:
            response = await self._challenges.respond(pool, client, operation, body, proceed)
            return self._with_tokens(pool, response)
        elif name not in _GUARDED_BY_MINISTACK:
            # Nobody was ever asked this here.
            self._sessions.find(body.get("Session"), client["ClientId"], name)
        return self._finished(pool, client, typed_name, response)

    def _finished(
        self, pool: UserPool, client: UserPoolClient, typed_name: str, response: Response
    ) -> Response:
        if response.status != 200:
            return response
        answer = response.json()
        if (
            "AuthenticationResult" in answer
            or answer.get("ChallengeName") in password_challenges.NAMES
        ):
            answer = self._challenges.keep(pool, client, typed_name, answer)
            return self._with_tokens(pool, json_response(answer))
        return response

    def _with_tokens(self, pool: UserPool, response: Response) -> Response:
        answer = response.json()
        if response.status != 200 or "AuthenticationResult" not in answer:
            return response
        result = self._issued.complete(pool["Id"], answer["AuthenticationResult"])
        return json_response({"ChallengeParameters": {}, "AuthenticationResult": result})


def _is_unknown_to_ministack(response: Response) -> bool:
    return error_type_of(response) == "InvalidParameterException" and str(
        response.json().get("message")
    ).startswith(_UNKNOWN_TO_MINISTACK)


def _check_page(operation: str, body: JsonObject) -> None:
    """A page token is one that an answer brought: a number, but for the events of a sign-in.

    Raises:
        ApiError: it isn't; AWS's words are unknown.
    """
    for name in ("NextToken", "PaginationToken"):
        numbered = _PAGE.fullmatch(str(body.get(name, "0"))) is not None
        if not numbered and operation != "AdminListUserAuthEvents":
            raise ApiError("InvalidParameterException", "Invalid pagination token given.")


def _in_aws_words(operation: str, response: Response) -> Response:
    if response.status >= 500:
        return ApiError("InternalErrorException", "Something went wrong", response.status).response
    error_type = error_type_of(response)
    if error_type == "InvalidAction":
        return ApiError(
            "UnsupportedOperationException", f"The local cloud doesn't offer {operation}."
        ).response
    missing = error_type and _CLIENT_NOT_FOUND.fullmatch(str(response.json().get("message")))
    if missing:
        return ApiError(
            "ResourceNotFoundException", f"User pool client {missing.group(1)} does not exist."
        ).response
    return response
