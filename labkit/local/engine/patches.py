"""Every function of MiniStack's that labkit puts its own in the place of: where, why, and what comes there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from labkit.local.engine.cognito_mail import CognitoMail
from labkit.local.engine.functions import Functions
from labkit.local.engine.identity_pools import IdentityPools
from labkit.local.engine.ministack import MiniStack
from labkit.local.engine.names import Name
from labkit.local.engine.token_generation import TokenGeneration
from labkit.local.engine.user_pools import UserPools


class Parts(Protocol):
    """The parts of the engine that put something in MiniStack's place."""

    @property
    def functions(self) -> Functions:
        """Lambda's."""

    @property
    def user_pools(self) -> UserPools:
        """Cognito's."""

    @property
    def token_generation(self) -> TokenGeneration:
        """Of the pre token generation trigger."""

    @property
    def cognito_mail(self) -> CognitoMail:
        """Of codes and mail."""

    @property
    def identity_pools(self) -> IdentityPools:
        """Cognito's too."""


@dataclass(frozen=True, slots=True)
class Patch(Name):
    """A name that is replaced.

    Attributes:
        replacement: makes what comes there, from the engine's parts and MiniStack's own.
    """

    replacement: Callable[[Parts, Any], Any]


PATCHES: tuple[Patch, ...] = (
    Patch(
        "services.cognito",
        "_dispatch_idp",
        "async (action, data)",
        "operations of user pools that are answered in its place",
        lambda engine, own: engine.user_pools.operations.dispatch(own),
    ),
    Patch(
        "services.cognito",
        "_dispatch_identity",
        "async (action, data)",
        "operations of identity pools that are answered in its place",
        lambda engine, own: engine.identity_pools.operations.dispatch(own),
    ),
    Patch(
        "services.cognito",
        "_apply_pretoken_trigger",
        "(pool_id, claims, token_type, trigger_source, client_id, username, user_attrs, groups, "
        "client_metadata=..., scope=...)",
        "it gives out tokens also when the trigger fails, and invokes without a permission",
        lambda engine, own: engine.token_generation.apply_trigger(own),
    ),
    Patch(
        "services.cognito",
        "_extract_trigger_response",
        "(payload)",
        "it takes any answer of a trigger",
        lambda engine, own: engine.token_generation.read_answer(own),
    ),
    Patch(
        "services.cognito",
        "_send_verification_email",
        "(pool, username, attr_dict, code, attribute_name=...)",
        "its codes are always the same",
        lambda engine, own: engine.cognito_mail.send_fresh_code(own),
    ),
    Patch(
        "services.cognito",
        "_deliver_cognito_email",
        "(pool, to_email, subject, body, type_name, extra=...)",
        "its mails go into the inbox",
        lambda engine, own: engine.cognito_mail.deliver,
    ),
    Patch(
        "services.lambda_svc",
        "_execute_function_warm",
        "(func, event, request_id)",
        "labkit runs the functions",
        lambda engine, own: engine.functions.execute(own),
    ),
    Patch(
        "services.lambda_svc",
        "_emit_lambda_logs",
        "(func, request_id, log_text, error, duration_ms, *, log_source=...)",
        "it makes a log stream for each invocation and keeps all",
        lambda engine, own: engine.functions.emit_logs(own),
    ),
)


def replace_functions(ministack: MiniStack, parts: Parts) -> None:
    """Put labkit's functions in the place of MiniStack's; once a process."""
    ministack.replace([(patch, patch.replacement(parts, ministack[patch])) for patch in PATCHES])
