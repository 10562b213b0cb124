"""The state of user pools, their tokens and their mail."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from labkit.local.engine.cognito import Cognito, UserPoolAnswer
from labkit.local.engine.ministack import JsonObject, dict_of, response_of
from labkit.local.messages import Response
from labkit.local.settings import CloudSettings

MailCarrier = Callable[[str, str, str], None]
"""Takes a mail: (to, subject, body)."""
TokenTrigger = Callable[[JsonObject, JsonObject, Callable[[], JsonObject]], JsonObject]
"""Changes the claims of a token: (user pool, claims, MiniStack's own way to do it)."""
AnswerCheck = Callable[[object], None]
"""Looks at what a trigger's function returned."""


class UserPools(Cognito):
    """User pools, their users and their tokens."""

    def __init__(self, settings: CloudSettings) -> None:
        super().__init__(settings)
        self._own_code_sender: Any = None

    def user_pool(self, pool_id: str) -> JsonObject | None:
        """The live record of a user pool in any Region, or None.

        Its ``_clients`` and ``_users`` map ids to records; ``Policies``, ``UsernameAttributes``… are as in
        ``DescribeUserPool``.
        """
        for (_account, _region, found_id), pool in self._module("cognito")._user_pools.all_items():
            if found_id == pool_id:
                return dict_of(pool)
        return None

    def user_pool_of_client(self, client_id: str) -> JsonObject | None:
        """The live record of the user pool that has this app client, or None."""
        for pool in self._module("cognito")._user_pools.all_values():
            if client_id in pool["_clients"]:
                return dict_of(pool)
        return None

    def find_user(self, pool: JsonObject, username: str) -> JsonObject | None:
        """The live record of a user, by username, ``sub`` or alias; None when unknown.

        Keys: ``Username``, ``Attributes`` (list of Name/Value), ``UserStatus``, ``Enabled``, ``_password``.
        """
        found, _error = self._module("cognito")._resolve_user(pool, username)
        return None if found is None else dict_of(found)

    def answer_user_pools_with(self, answer: UserPoolAnswer) -> None:
        """Put ``answer`` in front of MiniStack's user pool operations.

        It is called after MiniStack has verified the signature and the IAM policies, so it can't bypass them.
        """
        self._answer_with("_dispatch_idp", answer)

    def sign_in_with_password(
        self, pool_id: str, client_id: str, username: str, password: str
    ) -> Response:
        """Check a password whatever flows the app client allows: tokens, the next challenge or the refusal.

        Blocking: it may run a pre token generation function.
        """
        with self._scope(pool_id.split("_", 1)[0]):
            return response_of(
                self._module("cognito")._admin_initiate_auth(
                    {
                        "UserPoolId": pool_id,
                        "ClientId": client_id,
                        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
                        "AuthParameters": {"USERNAME": username, "PASSWORD": password},
                    }
                )
            )

    def start_srp(
        self, pool_id: str, client_id: str, user: JsonObject | None, username: str, srp_a: str
    ) -> JsonObject:
        """The ``PASSWORD_VERIFIER`` challenge parameters; without a user, a challenge that nobody can answer."""
        cognito = self._module("cognito")
        with self._scope(pool_id.split("_", 1)[0]):
            token, session = cognito._create_challenge_session(pool_id, client_id, username)
            session["auth_flow"] = "USER_SRP_AUTH"
            parameters, session["srp"] = cognito._srp_challenge(
                pool_id, user, username, srp_a, token
            )
        return dict_of(parameters)

    def password_policy_errors(self, pool: JsonObject, password: str) -> list[str]:
        """What the pool's password policy has against a password."""
        errors: list[str] = self._module("cognito")._password_policy_errors(pool, password)
        return errors

    def issue_tokens(
        self,
        pool_id: str,
        client_id: str,
        user: JsonObject,
        client_metadata: JsonObject | None = None,
    ) -> JsonObject:
        """An ``AuthenticationResult`` for a signed-in user, signed with the pool's own keys.

        Blocking: it may run a pre token generation function.
        """
        with self._scope(pool_id.split("_", 1)[0]):
            result: JsonObject = self._module("cognito")._build_auth_result(
                pool_id, client_id, user, client_metadata=client_metadata
            )
        return result

    def run_token_trigger_with(self, runner: TokenTrigger, check: AnswerCheck) -> None:
        """Give the pre token generation trigger to ``runner``: MiniStack gives out tokens even when it fails.

        Args:
            runner: see there.
            check: may refuse what the function returned.
        """
        cognito = self._module("cognito")
        name, reader = "_apply_pretoken_trigger", "_extract_trigger_response"
        own_trigger = self._own_dispatches.setdefault(name, getattr(cognito, name))
        own_reader = self._own_dispatches.setdefault(reader, getattr(cognito, reader))
        is_token_trigger = ContextVar("is_token_trigger", default=False)

        def read(answer: object) -> Any:
            if is_token_trigger.get():
                check(answer)
            return own_reader(answer)

        def trigger(pool_id: str, claims: JsonObject, **facts: Any) -> JsonObject:
            pool = self.user_pool(pool_id)
            if pool is None:
                return claims

            def invoke() -> JsonObject:
                changed, token = dict(claims), is_token_trigger.set(True)
                try:
                    return dict_of(own_trigger(pool_id=pool_id, claims=changed, **facts))
                except RuntimeError as error:
                    raise RuntimeError(_error_message(error)) from error
                finally:
                    is_token_trigger.reset(token)

            return runner(pool, claims, invoke)

        setattr(cognito, name, trigger)
        setattr(cognito, reader, read)

    def sign_token(self, pool_id: str, use: str, claims: JsonObject) -> str:
        """A JWT over the claims, signed with the pool's own key for ``use`` (``access`` or ``id``)."""
        token: str = self._module("cognito")._signed_jwt(claims, pool_id, use)
        return token

    def signing_keys(self, pool_id: str) -> list[JsonObject]:
        """The pool's public keys, as in its ``jwks.json``."""
        _status, _headers, body = self._module("cognito").well_known_jwks(pool_id)
        keys: list[JsonObject] = json.loads(body)["keys"]
        return keys

    def sign_in_ended(self, pool_id: str, claims: Mapping[str, Any]) -> bool:
        """Whether the user of a token was deleted, disabled or signed out everywhere since."""
        pool = self.user_pool(pool_id)
        user = None if pool is None else self.find_user(pool, str(claims.get("sub")))
        if user is None or not user.get("Enabled", True):
            return True
        return claims.get("origin_jti") in self._module("cognito")._revoked_tokens

    def draw_confirmation_codes_with(self, draw: Callable[[], str]) -> None:
        """Make sign-up and password reset codes unguessable: MiniStack's are always the same."""
        cognito = self._module("cognito")
        if self._own_code_sender is None:
            self._own_code_sender = cognito._send_verification_email
        send = self._own_code_sender

        def send_fresh(
            pool: JsonObject,
            username: str,
            attributes: JsonObject,
            _code: str,
            attribute_name: str = "email",
        ) -> Any:
            code = draw()
            user = self.find_user(pool, username)
            if user is not None:
                user["_reset_code" if attribute_name == "password" else "_confirmation_code"] = code
            return send(pool, username, attributes, code, attribute_name)

        cognito._send_verification_email = send_fresh

    def deliver_mail_with(self, carrier: MailCarrier) -> None:
        """Give every mail that Cognito sends (codes, invitations) to ``carrier``."""
        cognito = self._module("cognito")

        def deliver(
            pool: Mapping[str, Any],
            to_email: str,
            subject: str,
            body: str,
            type_name: str,
            extra: Mapping[str, Any] | None = None,
        ) -> None:
            if to_email:
                carrier(to_email, subject, body)

        cognito._deliver_cognito_email = deliver


def _error_message(error: RuntimeError) -> str:
    """What a pre token generation function said when it failed, out of MiniStack's report of it."""
    text = str(error).removeprefix("PreTokenGeneration error: ")
    try:
        body = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return str(body["errorMessage"]) if isinstance(body, dict) and "errorMessage" in body else text
