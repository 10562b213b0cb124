"""What IAM has no room for, and what it can't attach or delete: MiniStack takes everything (iam 4).

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from labkit.local.engine import names
from labkit.local.engine.deleted_principals import principal_to_delete, replace_principal
from labkit.local.engine.ministack import MiniStack
from labkit.local.json_protocol import ApiError, ServiceModel
from labkit.local.query_protocol import read_form

Answer = tuple[int, dict[str, str], bytes]
"""MiniStack's (status, headers, body)."""
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Answer]]
"""How a service of MiniStack's answers: (method, path, headers, body, query) → answer."""
Refusal = tuple[int, str, str]
"""Status, error code and message."""

ACCESS_KEYS = 2
ATTACHED_POLICIES = 10
MANAGED_POLICY = 6_144
POLICY_VERSIONS = 5
TRUST_POLICY = 2_048
INLINE_POLICIES = {"User": 2_048, "Group": 5_120, "Role": 10_240}
"""Of all inline policies together. Sizes are in characters, without white space."""

_ARN = re.compile(r"arn:[^:]+:iam::[^:]*:policy/.+")
_SPACE = re.compile(r"\s")
_SHOWN = re.compile(r"Value '[^']*' at")
_NAME = re.compile(
    r"1 validation error detected: Value at '(\w+)' failed to satisfy constraint: "
    r"Member must satisfy regular expression pattern: \[\\w\+=,\.@-\]\+"
)
_OPERATION = re.compile(r"(Attach|Put)(User|Group|Role)Policy")


class IamQuotas:
    """What comes in front of MiniStack's IAM.

    Args:
        ministack: holds the users, groups, roles and policies.
        session_refusal: what IAM has against the session of the caller.
    """

    def __init__(self, ministack: MiniStack, session_refusal: Callable[[], Refusal | None]) -> None:
        self._ministack = ministack
        self._session_refusal = session_refusal
        self._model = ServiceModel("iam", "ValidationError")

    def handle(self, own: Handler) -> Handler:
        """What comes in the place of MiniStack's IAM, which has found that the caller may do it."""

        async def handle(
            method: str,
            path: str,
            headers: dict[str, str],
            body: bytes,
            query_params: dict[str, list[str]],
        ) -> Answer:
            form, sent = forms_of(method, body, query_params)
            refusal = self._session_refusal() or self._model_refusal(sent) or self._refusal(form)
            if refusal is None:
                deleted = principal_to_delete(self._ministack, form)
                found = await own(method, path, headers, body, query_params)
                if deleted and found[0] == 200:
                    replace_principal(self._ministack[names.ROLES].values(), *deleted)
                return found[0], found[1], _as_recorded(form.get("Action", ""), found[2])
            status, code, message = refusal
            answer: Answer = self._ministack[names.IAM_ERROR](status, code, escape(message))
            return answer

        return handle

    def _model_refusal(self, form: Mapping[str, str]) -> Refusal | None:
        """What the service's model has against it; a name has words of its own (iam 4.9)."""
        operation = form.get("Action", "")
        if not self._model.has(operation) or not self._model.input_of(operation):
            return None  # MiniStack says so
        try:
            self._model.check(operation, read_form(self._model, operation, form))
        except ApiError as error:
            words = _SHOWN.sub("Value at", str(error))
            name = _NAME.fullmatch(words)
            if name is not None:
                words = (
                    f"The specified value for {name[1]} is invalid. It must contain only alphanumeric "
                    "characters and/or the following: +=,.@_-"
                )
            return 400, "ValidationError", words
        return None

    def _refusal(self, form: Mapping[str, str]) -> Refusal | None:
        operation = form.get("Action", "")
        document = form.get(
            "AssumeRolePolicyDocument" if operation == "CreateRole" else "PolicyDocument", ""
        )
        if operation == "CreateAccessKey":
            keys = self._ministack[names.ACCESS_KEYS].values()
            count = sum(key["UserName"] == form.get("UserName") for key in keys)
            return _exceeded("AccessKeysPerUser", ACCESS_KEYS) if count >= ACCESS_KEYS else None
        if operation in ("CreatePolicy", "CreatePolicyVersion"):
            if _size(document) > MANAGED_POLICY:
                return _exceeded("PolicySize", MANAGED_POLICY)
            policy = self._ministack[names.POLICIES].get(form.get("PolicyArn", ""))
            if policy is not None and len(policy["Versions"]) >= POLICY_VERSIONS:
                return _TOO_MANY_VERSIONS
        if operation in ("CreateRole", "UpdateAssumeRolePolicy") and _size(document) > TRUST_POLICY:
            return _exceeded("ACLSizePerRole", TRUST_POLICY)
        if operation == "DeleteUser" and self._ministack[names.USER_POLICIES].get(
            form.get("UserName", "")
        ):
            return 409, "DeleteConflict", "Cannot delete entity, must delete policies first."
        match = _OPERATION.fullmatch(operation)
        if match is None:
            return None
        name = form.get(f"{match[2]}Name", "")
        entity = self._ministack[_STORES[match[2]]].get(name)
        if entity is None:
            return None  # MiniStack says so
        if match[1] == "Put":
            return self._inline_refusal(match[2], name, form.get("PolicyName", ""), document)
        return self._attachment_refusal(match[2], entity, form.get("PolicyArn", ""))

    def _attachment_refusal(self, kind: str, entity: Mapping[str, Any], arn: str) -> Refusal | None:
        if not _ARN.fullmatch(arn):
            return 400, "ValidationError", f"ARN {arn} is not valid."
        if not self._ministack[names.POLICY_KNOWN](arn):
            return 404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable."
        attached = entity.get("AttachedPolicies", [])
        if arn not in attached and len(attached) >= ATTACHED_POLICIES:
            return _exceeded(f"PoliciesPer{kind}", ATTACHED_POLICIES)
        return None

    def _inline_refusal(self, kind: str, name: str, policy: str, document: str) -> Refusal | None:
        if kind == "Role":
            stored = self._ministack[names.ROLES].get(name).get("InlinePolicies", {})
        else:
            store = names.USER_POLICIES if kind == "User" else names.GROUP_POLICIES
            stored = self._ministack[store].get(name) or {}
        size = sum(map(_size, {**stored, policy: document}.values()))
        limit = INLINE_POLICIES[kind]
        if size <= limit:
            return None
        words = f"Maximum policy size of {limit} bytes exceeded for {kind.lower()} {name}"
        return 409, "LimitExceeded", words


_NO_DESCRIPTION = b"<Description></Description>"
_OF_GET_ROLE = re.compile(rb"<MaxSessionDuration>\d+</MaxSessionDuration>")
_WORDS = (
    (re.compile(rb">Role ([^<]*) not found\.<"), rb">The role with name \1 cannot be found.<"),
    (
        re.compile(rb">(A policy called [^<]* already exists\.)<"),
        rb">\1 Duplicate names are not allowed.<",
    ),
    (
        re.compile(rb">Cannot delete entity, must delete all inline policies first\.<"),
        rb">Cannot delete entity, must delete policies first.<",
    ),
)


def _as_recorded(operation: str, body: bytes) -> bytes:
    """MiniStack's answer with AWS's fields and words (recorded 20.6; iam 4.8)."""
    body = body.replace(_NO_DESCRIPTION, b"")
    if operation in ("CreateRole", "UpdateRoleDescription"):
        body = _OF_GET_ROLE.sub(b"", body)
    for pattern, words in _WORDS:
        body = pattern.sub(words, body)
    return body


_STORES = {"User": names.USERS, "Group": names.GROUPS, "Role": names.ROLES}
_TOO_MANY_VERSIONS: Refusal = (
    409,
    "LimitExceeded",
    f"A managed policy can have up to {POLICY_VERSIONS} versions. Before you create a new version, you must delete an "
    "existing version.",
)


def _exceeded(quota: str, value: int) -> Refusal:
    return 409, "LimitExceeded", f"Cannot exceed quota for {quota}: {value}"


def _size(document: object) -> int:
    return len(_SPACE.sub("", str(document)))


def forms_of(
    method: str, body: bytes, query: Mapping[str, list[str]]
) -> tuple[dict[str, str], dict[str, str]]:
    """The parameters of a call in the query protocol: as MiniStack reads them, without empty ones, and all of them."""
    text = body.decode("utf-8", "replace") if method == "POST" else ""
    posted = parse_qs(text, keep_blank_values=True)
    filled = {name: [one for one in values if one] for name, values in posted.items()}
    seen = {**query, **{name: values for name, values in filled.items() if values}}
    every = {**query, **posted}
    return (
        {name: values[0] for name, values in seen.items() if values},
        {name: values[0] for name, values in every.items() if values},
    )
