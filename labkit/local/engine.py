"""The one seam to MiniStack, which serves the AWS control planes; no other file imports it.

MiniStack (MIT) runs inside this process. What it can't do or does otherwise than AWS is done in front of it, by the
other files of this package; what they need from it is a method here. ``AUTH=true`` makes it verify the Signature v4
and the IAM policies of IAM users and roles; it takes a few access keys for root without looking at the signature
(``test``, any account id, its own), so the cloud's own key is verified here, and ``access.py`` refuses the others.
"""

from __future__ import annotations

import ast
import asyncio
import contextvars
import copy
import dataclasses
import hashlib
import hmac
import importlib
import io
import json
import os
import secrets
import shutil
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from labkit.local.caller import Caller
from labkit.local.leading_keys import UNKNOWN, leading_keys
from labkit.local.messages import Request, Response
from labkit.local.policy import (
    Decision,
    MalformedPolicyError,
    PolicyQuestion,
    parse_trust_policy,
    wildcard_pattern,
)
from labkit.local.policy_variables import (
    VERSION,
    Unresolved,
    filled_conditions,
    filled_resources,
    uses_variables,
)
from labkit.local.settings import CloudSettings

SERVICES = (
    "acm",
    "apigateway",
    "cloudfront",
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "iam",
    "lambda",
    "logs",
    "s3",
    "ses",
    "sts",
    "tagging",
    "wafv2",
)
"""The services that the course uses: the others stay off."""

_FOREIGN_SETTINGS = (
    "AWS_",
    "MINISTACK_",
    "LOCALSTACK_",
    "LAMBDA_",
    "COGNITO_",
    "SMTP_",
    "S3_",
    "EDGE_PORT",
)

CONCURRENT_EXECUTIONS = 1_000
"""An account's limit for Lambda: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"""

_KEPT_POLICIES = 256
_KEPT_LOG_STREAMS = 1_000

JsonObject = dict[str, Any]
FunctionRunner = Callable[[JsonObject, bytes, Any, str, str], JsonObject]
"""Runs one Lambda invocation: (configuration, deployment package, event, request id, version) → result."""
MailCarrier = Callable[[str, str, str], None]
"""Takes a mail: (to, subject, body)."""
UserPoolOperation = Callable[[str, JsonObject], Awaitable[Response]]
"""Answers one operation of user pools, or of identity pools: (operation, request body)."""
UserPoolAnswer = Callable[[str, JsonObject, UserPoolOperation], Awaitable[Response]]
"""Answers in MiniStack's place: (operation, request body, MiniStack's own answer)."""
TokenTrigger = Callable[[JsonObject, Callable[[], JsonObject]], JsonObject]
"""Changes the claims of a token: (user pool, MiniStack's own way to do it)."""
TrustCheck = Callable[[object], str | None]
"""What IAM has against saving a role's trust policy; None when it may be saved."""


class Engine:
    """MiniStack in this process.

    One engine a process: MiniStack's state is in its modules.

    Args:
        settings: the cloud's port, credentials and account.
    """

    def __init__(self, settings: CloudSettings) -> None:
        self.settings = settings
        self._app: Any = None
        self._modules: dict[str, Any] = {}
        self._parsed_policies: dict[int, tuple[JsonObject, Any]] = {}
        self._permissions: dict[tuple[str, str, str], tuple[JsonObject, bool]] = {}
        self._own_dispatches: dict[str, Any] = {}
        self._own_code_sender: Any = None
        self._own_trust_check: Any = None
        self._threads = ThreadPoolExecutor(CONCURRENT_EXECUTIONS, "labkit-invocation")

    # -- life ---------------------------------------------------------------

    def start(self) -> None:
        """Configure and import MiniStack (about 0.2 s).

        No port is opened here, and nothing is written outside the cloud's work directory.
        """
        work = Path(self.settings.work_directory)
        state = work / "engine"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True, mode=0o700)
        for name in list(os.environ):
            if name.startswith(_FOREIGN_SETTINGS):
                del os.environ[name]
        os.environ.update(
            {
                "AUTH": "true",
                "AWS_ACCESS_KEY_ID": self.settings.access_key_id,
                "AWS_SECRET_ACCESS_KEY": self.settings.secret_access_key,
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(self.settings.port),
                "IOT_MTLS_ENABLED": "0",
                "LOG_LEVEL": "ERROR",
                "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",  # a trigger that fails isn't overlooked
                "MINISTACK_ACCOUNT_ID": self.settings.account_id,
                "MINISTACK_HOST": "localhost",
                "MINISTACK_REGION": self.settings.region,
                "PERSIST_STATE": "0",
                "S3_DATA_DIR": str(state / "s3"),
                "SERVICES": ",".join(SERVICES),
                "SFTP_ENABLED": "0",
                "STATE_DIR": str(state),
            }
        )
        self._app = importlib.import_module("ministack.app")
        self._deny_unknown_operations()
        self._name_principals_as_aws()
        self._core("iam_evaluator")._fnmatch_compile = wildcard_pattern
        self._fill_policy_variables()
        self._name_leading_keys()

    def _deny_unknown_operations(self) -> None:
        """Have a policy decide on every call: MiniStack lets a call through whose operation it can't name."""
        actions = self._core("iam_actions")
        own = actions.extract_iam_action

        def name(service: str, *request: Any) -> str:
            return own(service, *request) or f"{service}:UnknownOperation"

        actions.extract_iam_action = name

    def _name_principals_as_aws(self) -> None:
        """``aws:PrincipalArn`` of a session is its role's ARN; an anonymous caller has no ARN and no account."""
        evaluator = self._core("iam_evaluator")
        own = evaluator._resolve_condition_key

        def resolve(key: str, context: Any) -> Any:
            if key.lower() == "aws:principalarn":
                return self._principal_arn(context.principal_arn)
            if key.lower() == "aws:principalaccount":
                return context.principal_account or None
            return own(key, context)

        evaluator._resolve_condition_key = resolve
        own_keys = evaluator._principal_keys

        def principal_keys(credential: Any) -> dict[str, Any]:
            session = self._module("sts")._sessions.get(credential.access_key_id) or {}
            return {**own_keys(credential), **session.get("_federated_keys", {})}

        evaluator._principal_keys = principal_keys

    def _fill_policy_variables(self) -> None:
        """``${aws:username}`` in a policy stands for a value: MiniStack compares the text as it is."""
        evaluator = self._core("iam_evaluator")
        own_parse, own_match = evaluator.parse_policy_document, evaluator._first_match

        def parse(document: Any) -> Any:
            statements = own_parse(document)
            if not statements:
                return statements
            whole = json.loads(document) if isinstance(document, str) else document
            for statement in statements if whole.get("Version") == VERSION else ():
                resources = [*statement.resources, *statement.not_resources]
                if uses_variables(resources, statement.conditions):
                    statement.has_variables = True
            return statements

        def first_match(context: Any, statements: Any, effect: str) -> Any:
            of_effect = (one for one in statements if one.effect == effect)
            filled = [
                self._filled_statement(one, context) if hasattr(one, "has_variables") else one
                for one in of_effect
            ]
            return own_match(context, [one for one in filled if one is not None], effect)

        evaluator.parse_policy_document = parse
        evaluator._first_match = first_match

    def _filled_statement(self, statement: Any, context: Any) -> Any:
        """The statement for one request; None when it can't apply to it."""
        evaluator = self._core("iam_evaluator")

        def value_of(key: str) -> Any:
            return evaluator._resolve_condition_key(key, context)

        try:
            conditions = filled_conditions(statement.conditions, value_of)
            excluded = filled_resources(statement.not_resources, value_of, unknown_is_error=True)
        except Unresolved:
            # A Deny that nobody can evaluate denies; an Allow doesn't allow.
            if statement.effect == "Allow":
                return None
            conditions, excluded = {}, []
        resources = filled_resources(statement.resources, value_of)
        return dataclasses.replace(
            statement, conditions=conditions, resources=resources, not_resources=excluded
        )

    def _name_leading_keys(self) -> None:
        """``dynamodb:LeadingKeys``, which MiniStack leaves out: ``ForAllValues`` of nothing would allow everything."""
        actions = self._core("iam_actions")
        own = actions.dynamodb_service_context

        def context(body: bytes) -> JsonObject:
            found: JsonObject = own(body)
            try:
                keys = leading_keys(json.loads(body or b"{}"), self._partition_key)
            except (ValueError, TypeError, AttributeError, RecursionError):
                keys = [UNKNOWN]
            return found if keys is None else {**found, "dynamodb:LeadingKeys": keys}

        actions.dynamodb_service_context = context

    def _partition_key(self, table: str, index: str | None) -> str | None:
        """The name of the partition key of a table of this account, or of an index."""
        tables = self._module("dynamodb")._tables
        region = self._core("responses").get_region()
        found = tables.get_scoped(self.settings.account_id, region, table)
        if found is None:
            return None
        if index is None:
            return str(found["pk_name"])
        indexes = [*found["GlobalSecondaryIndexes"], *found["LocalSecondaryIndexes"]]
        for one in indexes:
            if one["IndexName"] == index:
                hash_keys = [k["AttributeName"] for k in one["KeySchema"] if k["KeyType"] == "HASH"]
                return str(hash_keys[0])
        return None

    def refuse_web_identities(self, error_type: str, message: str) -> None:
        """Refuse ``AssumeRoleWithWebIdentity``: MiniStack believes any token without a look at its signature."""
        sts = self._module("sts")

        def refuse(_role_arn: str, _parameters: JsonObject, _use_json: bool) -> Any:
            return sts._error(400, error_type, message, ns="sts")

        sts._web_identity_trust_denied = refuse

    def check_trust_policies_with(self, check: TrustCheck) -> None:
        """Let ``check`` refuse a trust policy that IAM saves, for a new role and for one that is there."""
        iam = self._module("iam")
        own = self._own_trust_check = self._own_trust_check or iam._trust_policy_not_principal_error
        iam._trust_policy_not_principal_error = lambda document: own(document) or check(document)

    def _principal_arn(self, arn: str) -> str | None:
        if ":assumed-role/" not in arn:
            return None if arn == "*" else arn
        account_id, name = arn.split(":")[4], arn.split("/")[1]
        role = self._module("iam")._roles.get_scoped(account_id, None, name) or {}
        return str(role.get("Arn") or f"arn:aws:iam::{account_id}:role/{name}")

    def warm_up(self) -> None:
        """Import the services that the first lesson needs; call it in a thread, after the port is open."""
        for name in ("cognito", "apigateway_v1", "lambda_svc", "iam"):
            self._module(name)

    def bind_to_running_loop(self) -> None:
        """Tell MiniStack which event loop serves; its worker threads call back into it."""
        self._app._MAIN_LOOP = asyncio.get_running_loop()

    def _module(self, name: str) -> Any:
        return self._imported(f"ministack.services.{name}")

    def _core(self, name: str) -> Any:
        return self._imported(f"ministack.core.{name}")

    def _imported(self, name: str) -> Any:
        module = self._modules.get(name)
        if module is None:
            module = self._modules[name] = importlib.import_module(name)
        return module

    def _scope(self, region: str | None = None) -> AbstractContextManager[None]:
        scope: AbstractContextManager[None] = self._core("responses").request_scope(
            self.settings.account_id, region or self.settings.region
        )
        return scope

    def _region_of(self, store: Any, key: str) -> str | None:
        """The Region in whose part of a store a key of this account is: mostly the cloud's own, so that one first."""
        account_id, own = self.settings.account_id, self.settings.region
        if store.contains_scoped(account_id, own, key):
            return own
        others = (scope for scope, _record in store.all_items())
        return next(
            (scope[1] for scope in others if (scope[0], scope[2]) == (account_id, key)), None
        )

    # -- control planes -------------------------------------------------------

    async def forward(self, request: Request) -> Response:
        """Let MiniStack answer a control-plane call that ``access.py`` has let in."""
        sent = False
        status = 500
        headers: list[tuple[str, str]] = []
        body = io.BytesIO()

        async def receive() -> JsonObject:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: JsonObject) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [
                    (k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"]
                ]
            elif message["type"] == "http.response.body":
                body.write(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": request.method,
            "path": request.path,
            "raw_path": request.raw_path.encode("latin-1"),
            "query_string": request.query_string.encode("latin-1"),
            "headers": [
                (k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in request.headers
            ],
            "client": (request.source_ip, 0),
            "server": ("127.0.0.1", self.settings.port),
        }
        await self._app.app(scope, receive, send)
        kept = [(k, v) for k, v in headers if not k.lower().startswith("access-control-")]
        return Response(status, kept, body.getvalue())

    # -- credentials ----------------------------------------------------------

    def takes_for_root(self, access_key_id: str) -> bool:
        """Whether MiniStack would treat this key as root without a look at the signature."""
        evaluator = self._core("iam_evaluator")
        return bool(evaluator.is_root_access_key(access_key_id))

    def signature_error(self, request: Request, *, presigned: bool) -> tuple[str, str] | None:
        """Why a signed request is refused: (error type, message), or None.

        The key is the cloud's own, an IAM user's or a role's. The time window is MiniStack's: 5 minutes, 15 for the
        services that allow 15.
        """
        sigv4 = self._core("sigv4")
        headers: dict[str, str] = {}
        for name, value in request.headers:
            key = name.lower()
            headers[key] = f"{headers[key]},{value}" if key in headers else value
        query = parse_qs(request.query_string, keep_blank_values=True)
        parsed = (
            sigv4.parse_query_signature(query)
            if presigned
            else sigv4.parse_header_signature(headers)
        )
        if isinstance(parsed, tuple):
            return str(parsed[0]), str(parsed[1])
        if "host" not in parsed.signed_headers.split(";"):
            return (
                "SignatureDoesNotMatch",
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            )
        token = query.get("X-Amz-Security-Token", [""])[0] if presigned else ""
        evaluator = self._core("iam_evaluator")
        found = evaluator.resolve_credential(
            parsed.access_key_id,
            self.settings.account_id,
            token or headers.get("x-amz-security-token", ""),
        )
        if isinstance(found, evaluator.CredentialResolutionError):
            return str(found.code), str(found.message)
        if presigned:
            try:
                expired = sigv4.presigned_request_is_expired(
                    parsed.amz_date, query.get("X-Amz-Expires", [""])[0]
                )
            except ValueError:
                expired = True
            if expired:
                return "AccessDenied", "Request has expired"
        elif late := sigv4.request_time_failure(parsed):
            return str(late[0]), str(late[1])
        declared = headers.get("x-amz-content-sha256", "")
        if len(declared) == 64 and not hmac.compare_digest(
            declared, hashlib.sha256(request.body).hexdigest()
        ):
            return (
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match.",
            )
        failure = sigv4.header_signature_failure(
            parsed,
            found.secret_access_key,
            request.method,
            request.raw_path,
            query,
            headers,
            request.body,
            presigned=presigned,
        )
        return None if failure is None else (str(failure[0]), str(failure[1]))

    # -- policies and principals ---------------------------------------------------

    def decide(
        self, document: JsonObject, question: PolicyQuestion, *, names_principals: bool
    ) -> Decision:
        """What one policy document says.

        Args:
            document: checked by :func:`labkit.local.policy.parse_policy`.
            question: action, resource, caller, condition keys.
            names_principals: it is a resource policy.
        """
        evaluator = self._core("iam_evaluator")
        context = self._context(evaluator, question)
        if question.access_key_id is not None:
            with self._scope(question.region):
                principal = evaluator.resolve_principal(
                    question.access_key_id, self.settings.account_id
                )
            context.principal_keys = getattr(principal, "keys", {})
        if names_principals:
            result = evaluator.evaluate_resource_policy(document, context)
        else:
            result = evaluator.evaluate(context, [self._statements(evaluator, document)])
        decision: Decision = result.decision
        return decision

    def _statements(self, evaluator: Any, document: JsonObject) -> Any:
        """A policy's statements as MiniStack evaluates them, kept: a cached policy is asked again and again."""
        kept = self._parsed_policies.get(id(document))
        if kept is None or kept[0] is not document:
            if len(self._parsed_policies) >= _KEPT_POLICIES:
                self._parsed_policies.clear()
            kept = document, evaluator.parse_policy_document(document)
            self._parsed_policies[id(document)] = kept
        return kept[1]

    def decide_identity(self, access_key_id: str, question: PolicyQuestion) -> Decision:
        """What the policies of a caller's identity say, its permissions boundary and session policies included."""
        evaluator = self._core("iam_evaluator")
        with self._scope(question.region):
            principal = evaluator.resolve_principal(access_key_id, self.settings.account_id)
            if isinstance(principal, evaluator.AuthError):
                return "ImplicitDeny"
            if principal.policies is None:
                return "Allow"
            context = self._context(evaluator, question)
            context.principal_keys = principal.keys
            result = evaluator.evaluate(context, principal.policies, *principal.limits)
        decision: Decision = result.decision
        return decision

    def _context(self, evaluator: Any, question: PolicyQuestion) -> Any:
        return evaluator.EvalContext(
            principal_arn=question.principal_arn,
            principal_type=question.principal_type,
            principal_account=question.principal_account,
            action=question.action,
            resource_arn=question.resource,
            region=question.region,
            source_ip=question.source_ip,
            secure_transport=True,
            service_context=dict(question.keys),
        )

    def caller(self, access_key_id: str) -> Caller | None:
        """Whose access key it is, with the secret to verify a signature; None for an unknown or inactive key."""
        if access_key_id == self.settings.access_key_id:
            account_id = self.settings.account_id
            root = f"arn:aws:iam::{account_id}:root"
            return Caller(
                access_key_id,
                self.settings.secret_access_key,
                None,
                root,
                account_id,
                "Root",
                account_id,
            )
        if self.takes_for_root(access_key_id):
            return None
        session = self._module("sts")._sessions.get(access_key_id)
        evaluator = self._core("iam_evaluator")
        if session is not None:
            arn = str(session.get("Arn", ""))
            return Caller(
                access_key_id,
                str(session.get("SecretAccessKey") or ""),
                str(session.get("SessionToken") or ""),
                arn,
                str(session.get("UserId") or ""),
                str(session.get("PrincipalType") or "AssumedRole"),
                str(session.get("AccountId") or arn.split(":")[4]),
                expires_at=session.get("Expiration"),
                cognito={
                    "cognitoAuthenticationProvider": session.get("_cognito_auth_provider"),
                    "cognitoAuthenticationType": session.get("_cognito_auth_type"),
                    "cognitoIdentityId": session.get("_identity_id"),
                    "cognitoIdentityPoolId": session.get("_identity_pool_id"),
                },
            )
        with self._scope():
            found = evaluator.resolve_credential(access_key_id, self.settings.account_id)
        if isinstance(found, evaluator.CredentialResolutionError):
            return None
        return Caller(
            access_key_id,
            found.secret_access_key,
            None,
            found.principal_arn,
            found.principal_id,
            found.principal_type,
            found.account_id,
        )

    def refusal(self, request: Request, service: str, error_type: str, message: str) -> Response:
        """The refusal of a call in the protocol of its service, so that botocore reads its code."""
        actions = self._core("iam_actions")
        headers = {name.lower(): value for name, value in request.headers}
        answer = actions.access_denied_response(
            service,
            "",
            "",
            str(uuid.uuid4()),
            error_code=error_type,
            message=message,
            headers=headers,
        )
        return _response_of(answer)

    # -- API Gateway REST APIs --------------------------------------------------

    def rest_api_region(self, api_id: str) -> str | None:
        """The Region that holds a REST API, or None when there is none of that id."""
        return self._region_of(self._module("apigateway_v1")._rest_apis, api_id)

    def rest_api_configuration(self, api_id: str, region: str) -> JsonObject:
        """A copy of all that a deployment freezes.

        Returns:
            ``{"api", "resources", "authorizers", "models", "validators", "gateway_responses"}``.

        Raises:
            KeyError: there is no such API.
        """
        apis = self._module("apigateway_v1")
        with self._scope(region):
            return copy.deepcopy(
                {
                    "api": apis._rest_apis[api_id],
                    "resources": apis._resources.get(api_id, {}),
                    "authorizers": apis._authorizers_v1.get(api_id, {}),
                    "models": apis._models.get(api_id, {}),
                    "validators": apis._request_validators.get(api_id, {}),
                    "gateway_responses": apis._gateway_responses.get(api_id, {}),
                }
            )

    def stage(self, api_id: str, region: str, stage_name: str) -> JsonObject | None:
        """The live stage with its web ACL, or None. Stage settings need no redeploy (facts/gateway.md 8.1)."""
        stages = self._module("apigateway_v1")._stages_v1
        of_api = stages.get_scoped(self.settings.account_id, region, api_id) or {}
        found: JsonObject | None = of_api.get(stage_name)
        if found is None or "ministack.services.waf" not in sys.modules:
            return found
        arn = f"arn:aws:apigateway:{region}::/restapis/{api_id}/stages/{stage_name}"
        with self._scope(region):
            web_acl = self._module("waf")._associations.get(arn)
        return found if web_acl is None else {**found, "webAclArn": web_acl}

    def method(
        self, api_id: str, region: str, resource_id: str, http_method: str
    ) -> JsonObject | None:
        """The live record of a method, or None."""
        with self._scope(region):
            resources = self._module("apigateway_v1")._resources.get(api_id, {})
        found: JsonObject | None = (
            resources.get(resource_id, {}).get("resourceMethods", {}).get(http_method)
        )
        return found

    def rest_api(self, api_id: str, region: str) -> JsonObject | None:
        """The live record of a REST API, or None."""
        with self._scope(region):
            found: JsonObject | None = self._module("apigateway_v1")._rest_apis.get(api_id)
        return found

    def serves(self, api_id: str, region: str, deployment_id: str) -> bool:
        """Whether a stage of the API points to the deployment."""
        with self._scope(region):
            stages = self._module("apigateway_v1")._stages_v1.get(api_id, {})
        return any(stage.get("deploymentId") == deployment_id for stage in stages.values())

    def gateway_responses(self, api_id: str, region: str) -> dict[str, JsonObject]:
        """The live customised gateway responses of an API by type; a change in place stays."""
        with self._scope(region):
            responses = self._module("apigateway_v1")._gateway_responses
            if api_id not in responses:
                responses[api_id] = {}
            found: dict[str, JsonObject] = responses[api_id]
        return found

    def api_key(self, value: str) -> JsonObject | None:
        """The enabled API key with this value, or None."""
        for key in self._module("apigateway_v1")._api_keys.all_values():
            if key.get("value") == value and key.get("enabled", True):
                return dict_of(key)
        return None

    def api_key_record(self, key_id: str) -> JsonObject | None:
        """The live record of an API key, enabled or not, or None."""
        for (_account, _region, found_id), key in self._module(
            "apigateway_v1"
        )._api_keys.all_items():
            if found_id == key_id:
                return dict_of(key)
        return None

    def forget_usage_plan(self, plan_id: str) -> None:
        """Take back a usage plan that was just made."""
        plans = self._module("apigateway_v1")._usage_plans
        region = self._region_of(plans, plan_id)
        with self._scope(region):
            plans.pop(plan_id, None)

    def usage_plan(self, plan_id: str) -> JsonObject | None:
        """The live record of a usage plan, or None."""
        for (_account, _region, found_id), plan in self._module(
            "apigateway_v1"
        )._usage_plans.all_items():
            if found_id == plan_id:
                return dict_of(plan)
        return None

    def usage_plan_keys(self, plan_id: str) -> list[str]:
        """The ids of the API keys of a usage plan."""
        for (_account, _region, found_id), keys in self._module(
            "apigateway_v1"
        )._usage_plan_keys.all_items():
            if found_id == plan_id:
                return list(keys)
        return []

    def usage_plans_of(self, key_id: str, api_id: str, stage: str) -> list[JsonObject]:
        """The usage plans that hold both an API key and an API's stage."""
        plans = self._module("apigateway_v1")._usage_plans.all_values()
        return [
            dict_of(plan)
            for plan in plans
            if any(
                s.get("apiId") == api_id and s.get("stage") == stage
                for s in plan.get("apiStages") or []
            )
            and key_id in self.usage_plan_keys(plan["id"])
        ]

    def is_custom_domain(self, host: str) -> bool:
        """Whether an API Gateway custom domain name has this name."""
        with self._scope():
            return self._module("apigateway_v1").find_domain_scope(host) is not None

    def base_path_mapping(self, host: str, raw_path: str) -> tuple[str, str, str] | None:
        """The API's id, the stage (empty if the path names it) and the rest of the path; None without a mapping."""
        with self._scope():
            found: tuple[str, str, str] | None = self._module(
                "apigateway_v1"
            ).resolve_base_path_mapping(host, raw_path)
        return found

    def wants_client_certificate(self, host: str) -> bool:
        """Whether a custom domain name asks for client certificates (mutual TLS)."""
        domains = self._module("apigateway_v1")
        with self._scope():
            scope = domains.find_domain_scope(host)
        record = None if scope is None else domains._domain_names.get_scoped(*scope, None)
        return bool(record and (record.get("mutualTlsAuthentication") or {}).get("truststoreUri"))

    # -- API Gateway HTTP APIs --------------------------------------------------

    def http_api_region(self, api_id: str) -> str | None:
        """The Region that holds an HTTP or WebSocket API, or None when there is none of that id."""
        return self._region_of(self._module("apigateway")._apis, api_id)

    def http_api(self, api_id: str, region: str) -> JsonObject | None:
        """The live records of an HTTP or WebSocket API, or None; a change in place stays.

        Returns:
            ``{"api", "routes", "integrations", "authorizers", "stages", "deployments"}``, by id (a stage by name).
        """
        apis = self._module("apigateway")
        with self._scope(region):
            if api_id not in apis._apis:
                return None
            stores = ("routes", "integrations", "authorizers", "stages", "deployments")
            found = {name: getattr(apis, f"_{name}").setdefault(api_id, {}) for name in stores}
            return {"api": apis._apis[api_id], **found}

    # -- Lambda -----------------------------------------------------------------

    def run_functions_with(self, runner: FunctionRunner) -> None:
        """Give the execution of Python functions to ``runner``, for every way in which one is invoked."""
        lambda_service = self._module("lambda_svc")

        def execute(function: JsonObject, event: Any, request_id: str) -> JsonObject:
            config = function.get("config") or function
            return runner(
                config,
                function.get("code_zip") or b"",
                event,
                request_id,
                config.get("Version", "$LATEST"),
            )

        lambda_service._execute_function_warm = execute
        emit = lambda_service._emit_lambda_logs

        def emit_and_forget(function: JsonObject, *outcome: Any, **source: Any) -> None:
            emit(function, *outcome, **source)
            self._forget_old_logs(function.get("config") or function)

        lambda_service._emit_lambda_logs = emit_and_forget

    def _forget_old_logs(self, config: JsonObject) -> None:
        """Keep the newest log streams of a function: MiniStack makes one for each invocation, and keeps all."""
        name = (config.get("LoggingConfig") or {}).get("LogGroup")
        group = self._module("cloudwatch_logs")._log_groups.get(
            name or f"/aws/lambda/{config.get('FunctionName')}"
        )
        streams = group["streams"] if group else {}
        if len(streams) > 1.1 * _KEPT_LOG_STREAMS:
            for stream in list(streams)[:-_KEPT_LOG_STREAMS]:
                streams.pop(stream, None)

    def function(self, function_arn: str) -> JsonObject | None:
        """The function record that an (unqualified or qualified) function ARN names, or None."""
        name, region = _name_and_region(function_arn)
        with self._scope(region):
            found: JsonObject | None = self._module("lambda_svc")._functions.get(name)
        return found

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        """Whether the function's resource policy lets an AWS service invoke it for ``source_arn``."""
        record = self.function(function_arn)
        if record is None:
            return False
        question = (function_arn, service, source_arn)
        policy, allows = self._permissions.get(question, (None, False))
        if policy != record["policy"]:
            allows = self._policy_allows(record["policy"], *question)
            if len(self._permissions) >= _KEPT_POLICIES:
                self._permissions.clear()
            self._permissions[question] = copy.deepcopy(record["policy"]), allows
        return allows

    def _policy_allows(
        self, policy: JsonObject, function_arn: str, service: str, source_arn: str
    ) -> bool:
        evaluator = self._core("iam_evaluator")
        context = evaluator.EvalContext(
            principal_arn=service,
            principal_type="Service",
            principal_account=self.settings.account_id,
            action="lambda:InvokeFunction",
            resource_arn=function_arn,
            region=_name_and_region(function_arn)[1],
            service_context={
                "aws:sourcearn": source_arn,
                "aws:sourceaccount": self.settings.account_id,
            },
        )
        decision = evaluator.evaluate_resource_policy(policy, context, service=service)
        return bool(decision.decision == "Allow")

    async def invoke_function(self, function_arn: str, event: Any) -> JsonObject:
        """Invoke a function synchronously.

        Returns:
            ``{"payload": <the handler's JSON value>, "error": bool, "throttled": bool, "log": str}``; throttled: Lambda
            didn't run it, because its concurrency is used up, and that is an error too.

        Raises:
            KeyError: there is no such function.
        """
        record = self.function(function_arn)
        if record is None:
            raise KeyError(function_arn)
        service = self._module("lambda_svc")
        result = await self.run_blocking(service._execute_function_with_config_scope, record, event)
        throttled = bool(result.get("throttle"))
        return {
            "payload": result.get("body"),
            "error": bool(result.get("error")) or throttled,
            "throttled": throttled,
            "log": result.get("log", ""),
        }

    def role_credentials(
        self, role_arn: str, session_name: str, lifetime: float = 12 * 3600, **more: Any
    ) -> dict[str, str]:
        """Fresh random temporary credentials of a role, as environment variables for its function.

        Args:
            role_arn: the role.
            session_name: of the assumed role.
            lifetime: in seconds.
            more: of MiniStack's record of the session.
        """
        access_key_id = "ASIA" + secrets.token_hex(8).upper()
        secret, token = secrets.token_urlsafe(30), secrets.token_urlsafe(96)
        role_name = role_arn.rsplit("/", 1)[-1]
        account_id = (
            role_arn.split(":")[4] if role_arn.count(":") >= 5 else self.settings.account_id
        )
        self._module("sts").register_session(
            access_key_id,
            {
                "Arn": f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session_name}",
                "UserId": f"AROA{role_name[:16].upper()}:{session_name}",
                "SecretAccessKey": secret,
                "SessionToken": token,
                "Expiration": time.time() + lifetime,
                "AccountId": account_id,
                "PrincipalType": "AssumedRole",
                **more,
            },
        )
        return {
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
        }

    # -- Cognito ----------------------------------------------------------------

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

    def answer_user_pools_with(self, answer: UserPoolAnswer) -> None:
        """Put ``answer`` in front of MiniStack's user pool operations.

        It is called after MiniStack has verified the signature and the IAM policies, so it can't bypass them.
        """
        self._answer_with("_dispatch_idp", answer)

    def answer_identity_pools_with(self, answer: UserPoolAnswer) -> None:
        """Put ``answer`` in front of MiniStack's identity pool operations, as :meth:`answer_user_pools_with` does."""
        self._answer_with("_dispatch_identity", answer)

    def _answer_with(self, name: str, answer: UserPoolAnswer) -> None:
        cognito = self._module("cognito")
        own_dispatch = self._own_dispatches.setdefault(name, getattr(cognito, name))

        async def proceed(operation: str, body: JsonObject) -> Response:
            return _response_of(await own_dispatch(operation, body))

        async def dispatch(operation: str, body: JsonObject) -> tuple[int, dict[str, str], bytes]:
            response = await answer(operation, body, proceed)
            return response.status, dict(response.headers), response.body

        setattr(cognito, name, dispatch)

    def sign_in_ended(self, pool_id: str, claims: Mapping[str, Any]) -> bool:
        """Whether the user of a token was deleted, disabled or signed out everywhere since."""
        pool = self.user_pool(pool_id)
        user = None if pool is None else self.find_user(pool, str(claims.get("sub")))
        if user is None or not user.get("Enabled", True):
            return True
        return claims.get("origin_jti") in self._module("cognito")._revoked_tokens

    def identity_pool(self, pool_id: str) -> JsonObject | None:
        """The live record of an identity pool in any Region, or None.

        Keys as in ``DescribeIdentityPool``; ``_roles`` and ``_role_mappings`` as ``SetIdentityPoolRoles`` took them.
        """
        for (_account, _region, found_id), pool in self._module(
            "cognito"
        )._identity_pools.all_items():
            if found_id == pool_id:
                return dict_of(pool)
        return None

    def identity_pool_of(self, identity_id: str) -> JsonObject | None:
        """The live record of the identity pool that made an identity, or None."""
        for pool in self._module("cognito")._identity_pools.all_values():
            if identity_id in pool["_identities"]:
                return dict_of(pool)
        return None

    def login_refusal(
        self, pool: JsonObject, identity_id: str, logins: Mapping[str, str]
    ) -> Response | None:
        """Why an identity isn't one of these (verified) logins; None when it is."""
        answer = self._module("cognito")._identity_logins_error(pool, identity_id, dict(logins))
        return None if answer is None else _response_of(answer)

    def link_logins(self, pool: JsonObject, identity_id: str, logins: Mapping[str, str]) -> str:
        """Remember the (verified) logins of an identity; the id of the identity that has them now."""
        linked = self._module("cognito")._link_logins(pool, identity_id, dict(logins))
        return str(linked)

    def role(self, role_arn: str) -> JsonObject | None:
        """The live record of a role of this account with exactly this ARN, or None."""
        roles = self._module("iam")._roles
        found = roles.get_scoped(self.settings.account_id, None, role_arn.rsplit("/", 1)[-1])
        return found if found is not None and found.get("Arn") == role_arn else None

    def trusts_web_identity(
        self, role: JsonObject, provider: str, keys: Mapping[str, str | list[str]], region: str
    ) -> bool:
        """Whether a role's trust policy lets a federated identity assume the role.

        Args:
            role: the role's record.
            provider: the ``Federated`` principal.
            keys: the condition keys of the provider, lower case, and their values.
            region: of the request.
        """
        evaluator = self._core("iam_evaluator")
        try:
            document = parse_trust_policy(role.get("AssumeRolePolicyDocument"))
        except MalformedPolicyError:
            return False
        context = evaluator.EvalContext(
            principal_arn=provider,
            principal_type="WebIdentityUser",
            principal_account=self.settings.account_id,
            action="sts:AssumeRoleWithWebIdentity",
            resource_arn=role["Arn"],
            region=region,
            source_ip=None,  # the identity pool calls STS, not the client
            service_context={
                name: _SeveralValues(value) if isinstance(value, list) else value
                for name, value in keys.items()
            },
        )
        return bool(evaluator.evaluate_trust_policy(document, provider, context))

    def may_pass(self, role_arn: str, region: str) -> bool:
        """Whether the signer of the request that is being answered may pass a role (``iam:PassRole``)."""
        signer = self._core("iam_evaluator")._verified_key.get() or self.settings.access_key_id
        caller = self.caller(signer)
        if caller is None:
            return False
        question = PolicyQuestion(
            "iam:PassRole",
            role_arn,
            region,
            caller.arn,
            caller.account_id,
            caller.type,
            signer,
            keys={"iam:passedtoservice": "cognito-identity.amazonaws.com"},
        )
        return self.decide_identity(signer, question) == "Allow"

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

    def run_token_trigger_with(self, runner: TokenTrigger) -> None:
        """Give the pre token generation trigger to ``runner``: MiniStack gives out tokens even when it fails."""
        cognito = self._module("cognito")
        name = "_apply_pretoken_trigger"
        own_trigger = self._own_dispatches.setdefault(name, getattr(cognito, name))

        def trigger(pool_id: str, claims: JsonObject, **facts: Any) -> JsonObject:
            pool = self.user_pool(pool_id)
            if pool is None:
                return claims

            def invoke() -> JsonObject:
                try:
                    return dict_of(own_trigger(pool_id=pool_id, claims=claims, **facts))
                except RuntimeError as error:
                    raise RuntimeError(_error_message(error)) from error

            return runner(pool, invoke)

        setattr(cognito, name, trigger)

    def sign_in_with_password(
        self, pool_id: str, client_id: str, username: str, password: str
    ) -> Response:
        """Check a password whatever flows the app client allows: tokens, the next challenge or the refusal.

        Blocking: it may run a pre token generation function.
        """
        with self._scope(pool_id.split("_", 1)[0]):
            return _response_of(
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

    def sign_token(self, pool_id: str, use: str, claims: JsonObject) -> str:
        """A JWT over the claims, signed with the pool's own key for ``use`` (``access`` or ``id``)."""
        token: str = self._module("cognito")._signed_jwt(claims, pool_id, use)
        return token

    async def run_blocking(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run a blocking call in a thread, so that it may call back into this server.

        Threads are kept: MiniStack starts one a call, for which the event loop waits 0.4 ms.
        """
        run = contextvars.copy_context().run
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, run, call, *args)

    def signing_keys(self, pool_id: str) -> list[JsonObject]:
        """The pool's public keys, as in its ``jwks.json``."""
        _status, _headers, body = self._module("cognito").well_known_jwks(pool_id)
        keys: list[JsonObject] = json.loads(body)["keys"]
        return keys

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


class _SeveralValues(list[str]):
    """The values of a key that has several: only ``ForAnyValue`` and ``ForAllValues`` look at each of them.

    For another operator MiniStack compares the list as text, so it is a text that nothing equals.
    """

    def __str__(self) -> str:
        return "\x00"


def dict_of(record: Any) -> JsonObject:
    """The record itself, typed: MiniStack keeps plain dictionaries."""
    assert isinstance(record, dict)
    return record


def _error_message(error: RuntimeError) -> str:
    """What a pre token generation function said when it failed, out of MiniStack's report of it."""
    text = str(error).removeprefix("PreTokenGeneration error: ")
    try:
        body = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return str(body["errorMessage"]) if isinstance(body, dict) and "errorMessage" in body else text


def _response_of(answer: tuple[int, Mapping[str, str], bytes]) -> Response:
    status, headers, body = answer
    return Response(status, list(headers.items()), body)


def _name_and_region(function_arn: str) -> tuple[str, str]:
    parts = function_arn.split(":")
    return (parts[6] if len(parts) > 6 else function_arn), (parts[3] if len(parts) > 3 else "")
