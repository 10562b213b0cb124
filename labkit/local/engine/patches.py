"""Every function of MiniStack's that labkit puts its own in the place of: where, why, and what comes there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from labkit.local.engine.functions import Functions
from labkit.local.engine.iam import Iam
from labkit.local.engine.iam_quotas import IamQuotas
from labkit.local.engine.identity_pools import IdentityPools
from labkit.local.engine.lambda_requests import LambdaRequests
from labkit.local.engine.ministack import MiniStack
from labkit.local.engine.names import Name
from labkit.local.engine.policy_evaluation import (
    PolicyEvaluation,
    identity_policy,
    names_condition_key,
    policy_problem,
)
from labkit.local.engine.policy_questions import PolicyQuestions, denial_with_resource
from labkit.local.engine.sts import Sts
from labkit.local.engine.sts_operations import StsOperations
from labkit.local.engine.token_generation import TokenGeneration
from labkit.local.engine.user_filters import filter_users
from labkit.local.engine.user_pools import UserPools
from labkit.local.engine.web_acl_associations import WebAclAssociations
from labkit.local.iam.dynamodb_tables import table_arns


class EngineParts(Protocol):
    """The parts of the engine that put something in MiniStack's place."""

    @property
    def sts(self) -> Sts:
        """Of sessions."""

    @property
    def iam(self) -> Iam:
        """Of users and roles."""

    @property
    def sts_operations(self) -> StsOperations:
        """How long sessions may be."""

    @property
    def iam_quotas(self) -> IamQuotas:
        """What IAM has room for."""

    @property
    def policy_questions(self) -> PolicyQuestions:
        """What policies are asked."""

    @property
    def policy_evaluation(self) -> PolicyEvaluation:
        """What they say."""

    @property
    def functions(self) -> Functions:
        """Lambda's."""

    @property
    def lambda_requests(self) -> LambdaRequests:
        """What Lambda is sent."""

    @property
    def web_acl_associations(self) -> WebAclAssociations:
        """WAF's."""

    @property
    def user_pools(self) -> UserPools:
        """Cognito's."""

    @property
    def token_generation(self) -> TokenGeneration:
        """Of the pre token generation trigger."""

    @property
    def identity_pools(self) -> IdentityPools:
        """Cognito's too."""


@dataclass(frozen=True, slots=True)
class Patch(Name):
    """A name that is replaced.

    Attributes:
        replacement: makes what comes there, from the engine's parts and MiniStack's own.
    """

    replacement: Callable[[EngineParts, Any], Any]


API_GATEWAY_AUTHORIZED = "x-labkit-authorized"
"""Marks the answer to a call of API Gateway's control planes that IAM allows."""


async def _authorized(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Any
) -> tuple[int, dict[str, str], bytes]:
    """What MiniStack answers in the place of API Gateway's operations: a refusal to all but who looks for the mark."""
    return 403, {API_GATEWAY_AUTHORIZED: "1"}, b'{"message":"Forbidden"}'


PATCHES: tuple[Patch, ...] = (
    *(
        Patch(
            module,
            "handle_request",
            "async (method, path, headers, body, query_params)",
            "the control planes of API Gateway are labkit's",
            lambda engine, own: _authorized,
        )
        for module in ("services.apigateway", "services.apigateway_v1")
    ),
    Patch(
        "core.iam_evaluator",
        "parse_policy_document",
        "(doc)",
        "labkit reads policies, and what can't be read denies",
        lambda engine, own: identity_policy,
    ),
    Patch(
        "core.iam_evaluator",
        "validate_policy_document",
        "(doc)",
        "it saves policies that nobody can evaluate",
        lambda engine, own: policy_problem,
    ),
    Patch(
        "core.iam_evaluator",
        "_names_condition_key",
        "(policies, prefix)",
        "the policies are labkit's",
        lambda engine, own: names_condition_key,
    ),
    Patch(
        "core.iam_evaluator",
        "evaluate",
        "(ctx, policies, *limits)",
        "it knows no variables, and compares what can't be compared",
        lambda engine, own: engine.policy_evaluation.evaluate,
    ),
    Patch(
        "core.iam_evaluator",
        "evaluate_resource_policy",
        "(doc, ctx, service=..., named_only=..., direct_only=...)",
        "the same, and it overlooks NotPrincipal",
        lambda engine, own: engine.policy_evaluation.evaluate_resource_policy,
    ),
    Patch(
        "core.iam_evaluator",
        "combine_resource_policy",
        "(identity, ctx, policy, owner_account, required=..., limits=...)",
        "it evaluates, too",
        lambda engine, own: engine.policy_evaluation.combine_resource_policy,
    ),
    Patch(
        "core.iam_evaluator",
        "evaluate_trust_policy",
        "(trust_doc, caller_arn, ctx=...)",
        "it evaluates, too, and root may assume every service's role",
        lambda engine, own: engine.policy_evaluation.evaluate_trust_policy,
    ),
    Patch(
        "core.iam_evaluator",
        "resolve_credential",
        "(access_key_id, account_id=..., session_token=...)",
        "a session outlives its role",
        lambda engine, own: engine.sts.resolve_credential(own),
    ),
    Patch(
        "core.iam_evaluator",
        "_principal_keys",
        "(credential)",
        "it doesn't know the condition keys of identity pools",
        lambda engine, own: engine.sts.principal_keys(own),
    ),
    Patch(
        "core.iam_actions",
        "extract_iam_action",
        "(service, method, path, headers, body, query_params)",
        "it lets operations through that it can't name",
        lambda engine, own: engine.policy_questions.action(own),
    ),
    Patch(
        "core.iam_actions",
        "extract_resource_arn",
        "(service, method, path, headers, body, query_params, region, account_id)",
        "it believes a TableName that DynamoDB ignores",
        lambda engine, own: engine.policy_questions.resource_arn(own),
    ),
    Patch(
        "core.iam_actions",
        "access_denied_response",
        "(service, action, principal_arn, request_id, *, error_code=..., message=..., headers=..., "
        "resource_arn=..., explicit_deny=..., resource_policy_arn=...)",
        "it doesn't say on which resource",
        lambda engine, own: denial_with_resource(own),
    ),
    Patch(
        "core.iam_actions",
        "dynamodb_resource_arns",
        "(body, region, account_id)",
        "the same",
        lambda engine, own: table_arns,
    ),
    Patch(
        "core.iam_actions",
        "dynamodb_service_context",
        "(body)",
        "it doesn't know dynamodb:LeadingKeys",
        lambda engine, own: engine.policy_questions.dynamodb_keys(own),
    ),
    Patch(
        "services.sts",
        "handle_request",
        "async (method, path, headers, body, query_params)",
        "sessions are as long as one likes, and root begins them",
        lambda engine, own: engine.sts_operations.handle(own),
    ),
    Patch(
        "services.sts",
        "_web_identity_trust_denied",
        "(role_arn, params, use_json)",
        "it believes any token",
        lambda engine, own: engine.sts.deny_web_identity(own),
    ),
    Patch(
        "services.iam",
        "handle_request",
        "async (method, path, headers, body, query_params)",
        "it has no quotas, and attaches policies that aren't there",
        lambda engine, own: engine.iam_quotas.handle(own),
    ),
    Patch(
        "services.iam",
        "_trust_policy_not_principal_error",
        "(doc)",
        "it saves trust policies for everybody's identity pools",
        lambda engine, own: engine.iam.trust_policy_error(own),
    ),
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
        "_resolve_user",
        "(pool, username)",
        "it looks at every user, and knows no case",
        lambda engine, own: engine.user_pools.resolve_user(own),
    ),
    Patch(
        "services.cognito",
        "_apply_user_filter",
        "(users, filter_str)",
        "what it can't read finds everybody",
        lambda engine, own: filter_users,
    ),
    Patch(
        "services.cognito",
        "_user_from_token",
        "(token, pool)",
        "the same",
        lambda engine, own: engine.user_pools.user_from_token(own),
    ),
    Patch(
        "services.cognito",
        "_validate_client_secret_hash",
        "(action, data)",
        "labkit checks it, with two secrets",
        lambda engine, own: lambda action, data: None,
    ),
    Patch(
        "services.lambda_svc",
        "_create_function",
        "(data)",
        "it takes any name, any bound, and a role that Lambda can't assume",
        lambda engine, own: engine.lambda_requests.create_function(own),
    ),
    Patch(
        "services.lambda_svc",
        "_update_config",
        "(name, data)",
        "the same",
        lambda engine, own: engine.lambda_requests.update_configuration(own),
    ),
    Patch(
        "services.lambda_svc",
        "_add_permission",
        "(func_name, data, query_params=..., path_qualifier=...)",
        "it takes any principal",
        lambda engine, own: engine.lambda_requests.add_permission(own),
    ),
    Patch(
        "services.lambda_svc",
        "_get_policy",
        "(func_name, query_params=..., path_qualifier=...)",
        "it mixes the policies of aliases into the function's",
        lambda engine, own: engine.lambda_requests.get_policy(own),
    ),
    Patch(
        "services.lambda_svc",
        "_remove_permission",
        "(func_name, sid, query_params, path_qualifier=...)",
        "the same",
        lambda engine, own: engine.lambda_requests.remove_permission(own),
    ),
    Patch(
        "services.waf",
        "_associate_web_acl",
        "(data)",
        "it takes any text for a stage",
        lambda engine, own: engine.web_acl_associations.associate(own),
    ),
    Patch(
        "services.waf",
        "_disassociate_web_acl",
        "(data)",
        "it asks for no permission of the stage's service",
        lambda engine, own: engine.web_acl_associations.disassociate(own),
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


def replace_functions(ministack: MiniStack, parts: EngineParts) -> None:
    """Put labkit's functions in the place of MiniStack's; once a process."""
    ministack.replace([(patch, patch.replacement(parts, ministack[patch])) for patch in PATCHES])
