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

from labkit.local.cognito import password_challenges, password_signin, refresh
from labkit.local.cognito.attribute_changes import AttributeChanges
from labkit.local.cognito.attribute_permissions import is_readable
from labkit.local.cognito.challenge_sessions import ChallengeSessions
from labkit.local.cognito.client_secrets import ClientSecrets
from labkit.local.cognito.completion import SignInEnds
from labkit.local.cognito.confirmation_codes import ConfirmationCodes
from labkit.local.cognito.groups import Groups
from labkit.local.cognito.hourly_limits import HourlyLimits
from labkit.local.cognito.issued_tokens import IssuedTokens
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.new_users import NewUsers
from labkit.local.cognito.password_attempts import PasswordAttempts
from labkit.local.cognito.password_reset import PasswordReset
from labkit.local.cognito.sealed_tokens import TokenSeal
from labkit.local.cognito.sign_in_names import SignInNames
from labkit.local.cognito.sign_up import SignUp
from labkit.local.cognito.signin import ChoiceBasedSignIn
from labkit.local.cognito.token_triggers import TokenTrigger, check_answer
from labkit.local.cognito.triggers import Triggers
from labkit.local.cognito.user_accounts import UserAccounts
from labkit.local.cognito.user_descriptions import UserDescriptions
from labkit.local.cognito.user_pool_settings import UserPoolSettings, not_offered
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

_PAGE = re.compile(r"[0-9]{1,9}")
_CLIENT_NOT_FOUND = re.compile(r"Client (\S+) not found\.")
_CHOICES = frozenset({"SELECT_CHALLENGE", "EMAIL_OTP"})
_NOT_OFFERED = frozenset(
    {"AdminListUserAuthEvents", "AdminUpdateAuthEventFeedback", "UpdateAuthEventFeedback"}
)
"""What MiniStack would answer without knowing of the sign-ins, which are labkit's."""


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
        self._names = names = SignInNames(user_pools)
        triggers = Triggers(engine.functions)
        self._ends = ends = SignInEnds(user_pools, triggers)
        self._challenges = password_challenges.PasswordChallenges(
            user_pools, sessions, names, ends, clock=clock
        )
        self._attempts = PasswordAttempts(clock=clock)
        self._passwords = password_signin.PasswordSignIn(
            user_pools, names, ends, self._challenges, self._attempts
        )
        self._sign_in = ChoiceBasedSignIn(
            user_pools,
            mailbox,
            sessions,
            names,
            ends,
            self._passwords,
            clock=clock,
            draw_digits=draw_digits,
        )
        self._secrets = ClientSecrets(user_pools, clock=clock)
        self._refresh = refresh.Refresh(
            user_pools, seal, self._issued, self._secrets, clock=clock, numbers=numbers
        )
        self._limits = limits = HourlyLimits(clock=clock)
        self._codes = codes = ConfirmationCodes(clock=clock, draw_digits=draw_digits)
        new_users = NewUsers(user_pools, triggers, clock=clock, numbers=numbers)
        accounts = UserAccounts(user_pools, new_users, limits, self._attempts, mailbox, clock=clock)
        attributes = AttributeChanges(user_pools, codes, limits, mailbox, clock=clock)
        sign_up = SignUp(
            user_pools, new_users, sessions, codes, limits, triggers, mailbox, clock=clock
        )
        reset = PasswordReset(
            user_pools, codes, limits, self._attempts, triggers, mailbox, clock=clock
        )
        groups = Groups(user_pools, engine.iam, clock=clock)
        settings = UserPoolSettings(user_pools)
        users = UserDescriptions(user_pools)
        self._operations: dict[str, Callable[[JsonObject, Operation], Awaitable[Response]]] = {
            "AddUserPoolClientSecret": self._secrets.add,
            "AdminConfirmSignUp": sign_up.admin_confirm,
            "AdminCreateUser": accounts.admin_create_user,
            "AdminDeleteUserAttributes": attributes.admin_delete,
            "AdminGetUser": users.admin_get_user,
            "AdminGetUserAuthFactors": users.admin_auth_factors,
            "AdminInitiateAuth": partial(self._initiate_auth, "AdminInitiateAuth"),
            "AdminResetUserPassword": reset.admin_reset,
            "AdminRespondToAuthChallenge": partial(self._respond, "AdminRespondToAuthChallenge"),
            "AdminSetUserPassword": accounts.admin_set_password,
            "AdminUpdateUserAttributes": attributes.admin_update,
            "AssociateSoftwareToken": self._challenges.associate_software_token,
            "ChangePassword": accounts.change_password,
            "ConfirmForgotPassword": self._of_client("ConfirmForgotPassword", reset.confirm),
            "ConfirmSignUp": self._of_client("ConfirmSignUp", sign_up.confirm),
            "CreateGroup": groups.create,
            "CreateUserPool": settings.create_user_pool,
            "CreateUserPoolClient": settings.create_client,
            "DeleteUserAttributes": attributes.delete,
            "DeleteUserPool": settings.delete_user_pool,
            "DeleteUserPoolClientSecret": self._secrets.delete,
            "ForgotPassword": self._of_client("ForgotPassword", reset.forgot),
            "GetTokensFromRefreshToken": self._refresh.get_tokens,
            "GetUser": users.get_user,
            "GetUserAttributeVerificationCode": attributes.verification_code,
            "GetUserAuthFactors": users.auth_factors,
            "InitiateAuth": partial(self._initiate_auth, "InitiateAuth"),
            "ListUserPoolClientSecrets": self._secrets.list_all,
            "ResendConfirmationCode": self._of_client("ResendConfirmationCode", sign_up.resend),
            "RespondToAuthChallenge": partial(self._respond, "RespondToAuthChallenge"),
            "RevokeToken": self._refresh.revoke,
            "SetUserPoolMfaConfig": settings.set_mfa_configuration,
            "SignUp": self._of_client("SignUp", sign_up.sign_up),
            "UpdateGroup": groups.update,
            "UpdateUserAttributes": attributes.update,
            "UpdateUserPool": settings.update_user_pool,
            "UpdateUserPoolClient": settings.update_client,
            "VerifySoftwareToken": self._challenges.verify_software_token,
            "VerifyUserAttribute": attributes.verify,
        }
        user_pools.operations.answer_with(self._answer)
        engine.token_generation.run_trigger_with(TokenTrigger(engine.functions), check_answer)
        engine.token_generation.read_attributes_with(is_readable)

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
        own = self._operations.get(operation)
        try:
            if operation in _NOT_OFFERED:
                raise not_offered(operation, "UnsupportedOperationException")
            _check_page(operation, body)
            return await (own(body, proceed) if own else proceed(operation, body))
        except ApiError as refusal:
            return refusal.response

    async def _initiate_auth(
        self, operation: str, body: JsonObject, proceed: Operation
    ) -> Response:
        if body["AuthFlow"] in refresh.FLOWS:
            return await self._refresh.initiate_auth(operation, body, proceed)
        found = self._client_of(body)
        if found is None:
            return await proceed(operation, body)  # which says what there isn't
        pool, client = found
        parameters = body.get("AuthParameters") or {}
        self._secrets.check_hash(client, parameters.get("USERNAME"), parameters.get("SECRET_HASH"))
        if body["AuthFlow"] == "USER_AUTH":
            response = await self._sign_in.initiate(pool, client, body)
        elif body["AuthFlow"] in password_signin.FLOWS:
            response = await self._passwords.initiate(pool, client, operation, body)
        else:
            raise _without_custom_challenges(body["AuthFlow"], client)
        return self._with_tokens(pool, response)

    async def _respond(self, operation: str, body: JsonObject, proceed: Operation) -> Response:
        found = self._client_of(body)
        if found is None:
            return await proceed(operation, body)
        pool, client = found
        responses = body.get("ChallengeResponses") or {}
        self._secrets.check_hash(
            client, responses.get("USERNAME"), responses.get("SECRET_HASH"), takes_needless=True
        )
        name = body["ChallengeName"]
        if name in _CHOICES:
            response = await self._sign_in.respond(pool, client, body)
        elif name in password_challenges.NAMES:
            response = await self._challenges.respond(pool, client, body)
        elif name == "PASSWORD_VERIFIER":
            response = await self._passwords.check_proof(pool, client, body)
        else:
            self._sessions.find(body.get("Session"), client["ClientId"], name)
            raise AssertionError(f"nobody was ever asked {name}")
        return self._with_tokens(pool, response)

    def _of_client(
        self,
        operation: str,
        answer: Callable[[UserPool, UserPoolClient, JsonObject], Awaitable[Response]],
    ) -> Callable[[JsonObject, Operation], Awaitable[Response]]:
        """An operation that an app client calls for a user, with its ``SecretHash`` checked."""

        async def checked(body: JsonObject, proceed: Operation) -> Response:
            found = self._client_of(body)
            if found is None:
                return await proceed(operation, body)
            self._secrets.check_hash(found[1], body["Username"], body.get("SecretHash"))
            return await answer(*found, body)

        return checked

    def _client_of(self, body: JsonObject) -> tuple[UserPool, UserPoolClient] | None:
        """The app client of a request and its user pool: of that pool, if the request names one."""
        found = self._user_pools.find_client(body["ClientId"])
        if found is None or body.get("UserPoolId", found[0]["Id"]) != found[0]["Id"]:
            return None
        return found

    def _with_tokens(self, pool: UserPool, response: Response) -> Response:
        answer = response.json()
        if response.status != 200 or "AuthenticationResult" not in answer:
            return response
        result = self._issued.complete(pool["Id"], answer["AuthenticationResult"])
        return json_response({"ChallengeParameters": {}, "AuthenticationResult": result})


def _without_custom_challenges(flow: str, client: UserPoolClient) -> ApiError:
    """The refusal of ``CUSTOM_AUTH``: no pool here has the triggers that it needs (cognito 15.6)."""
    if flow != "CUSTOM_AUTH":
        return ApiError("InvalidParameterException", "Initiate Auth method not supported.")
    if "ALLOW_CUSTOM_AUTH" not in client["ExplicitAuthFlows"]:
        return ApiError("InvalidParameterException", "CUSTOM_AUTH is not enabled for the client.")
    return ApiError(
        "InvalidParameterException",
        "Custom auth lambda trigger is not configured for the user pool.",
    )


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
        return not_offered(operation, "UnsupportedOperationException").response
    missing = error_type and _CLIENT_NOT_FOUND.fullmatch(str(response.json().get("message")))
    if missing:
        return ApiError(
            "ResourceNotFoundException", f"User pool client {missing.group(1)} does not exist."
        ).response
    return response
