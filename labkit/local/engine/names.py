"""Every name of MiniStack's that labkit reads or calls: no other is used (``patches.py`` has those that are replaced).

MiniStack has no Python interface: all of these are its own business, and any version may change them. So the start
looks through the table, and an upgrade fails with a list instead of an unsigned call that goes through.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labkit.errors import SetupError

VERSION = "1.5.33"
"""The version of MiniStack that the table was compared with."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in one of MiniStack's modules.

    Attributes:
        module: below ``ministack``.
        name: in the module.
        shape: what we take it for: a function's parameters as a stub has them, or the type of a value.
        why: what labkit needs it for.
    """

    module: str
    name: str
    shape: str
    why: str

    def problem(self) -> str | None:
        """How it differs from what is there; None when it doesn't. Imports the module."""
        where = f"ministack.{self.module}.{self.name}"
        try:
            found = getattr(importlib.import_module(f"ministack.{self.module}"), self.name)
        except (ImportError, AttributeError):
            return f"{where} is gone: {self.why}"
        shape = shape_of(found)
        return None if shape == self.shape else f"{where} is {shape}, not {self.shape}: {self.why}"


def shape_of(value: Any) -> str:
    """What :attr:`Name.shape` says of a value.

    >>> def function(a, *, b: int = 3) -> int: ...
    >>> shape_of(function), shape_of({})
    ('(a, *, b=...)', 'dict')
    """
    if not callable(value):
        return type(value).__name__
    try:
        signature = inspect.signature(value)
    except ValueError:  # it is none of Python's
        return type(value).__name__
    parameters = [
        one.replace(
            annotation=inspect.Parameter.empty,
            default=one.default if one.default is inspect.Parameter.empty else ...,
        )
        for one in signature.parameters.values()
    ]
    plain = str(inspect.Signature(parameters)).replace("Ellipsis", "...")
    return f"async {plain}" if inspect.iscoroutinefunction(value) else plain


def check(names: Iterable[Name]) -> None:
    """Compare names with what is there.

    Raises:
        SetupError: some differ; it lists all of them.
    """
    problems = [problem for name in names if (problem := name.problem()) is not None]
    if problems:
        raise SetupError(
            "This version of MiniStack isn't the one that labkit knows "
            f"({VERSION}): run `python3 -m labkit` in the course's directory.\n"
            + "\n".join(problems)
        )


_BY_REGION = "AccountRegionScopedDict"
_BY_ACCOUNT = "AccountScopedDict"

# -- the application, and the account and the Region that a call is in ---------------------------------

APP = Name("app", "app", "async (scope, receive, send)", "answers the control planes")
MAIN_LOOP = Name("app", "_MAIN_LOOP", "NoneType", "its threads call back into this event loop")
REQUEST_SCOPE = Name(
    "core.responses", "request_scope", "(account_id, region)", "whose records a call is about"
)

# -- signatures -----------------------------------------------------------------------------------------

PARSE_QUERY_SIGNATURE = Name(
    "core.sigv4", "parse_query_signature", "(query_params)", "reads a presigned URL"
)
PARSE_HEADER_SIGNATURE = Name(
    "core.sigv4", "parse_header_signature", "(headers)", "reads the Authorization header"
)
PRESIGNED_REQUEST_IS_EXPIRED = Name(
    "core.sigv4",
    "presigned_request_is_expired",
    "(amz_date, expires, *, now=...)",
    "refuses a late presigned URL",
)
REQUEST_TIME_FAILURE = Name(
    "core.sigv4", "request_time_failure", "(signature, *, now=...)", "refuses a late signature"
)
HEADER_SIGNATURE_FAILURE = Name(
    "core.sigv4",
    "header_signature_failure",
    "(signature, secret, method, raw_path, query_params, headers, body, *, presigned=..., explain=...)",
    "verifies a signature",
)
IS_ROOT_ACCESS_KEY = Name(
    "core.iam_evaluator",
    "is_root_access_key",
    "(access_key_id)",
    "keys that it takes for root without a look at the signature",
)
CREDENTIAL_RESOLUTION_ERROR = Name(
    "core.iam_evaluator", "CredentialResolutionError", "(code, message)", "why a key is nobody's"
)
ACCESS_DENIED_RESPONSE = Name(
    "core.iam_actions",
    "access_denied_response",
    "(service, action, principal_arn, request_id, *, error_code=..., message=..., headers=..., "
    "resource_arn=..., explicit_deny=..., resource_policy_arn=...)",
    "writes a refusal in a service's protocol",
)

# -- users, roles and sessions ------------------------------------------------------------------------------

USERS = Name("services.iam", "_users", _BY_ACCOUNT, "users by name, with their boundaries")
ROLES = Name("services.iam", "_roles", _BY_ACCOUNT, "roles by name, with their trust policies")
GROUPS = Name("services.iam", "_groups", _BY_ACCOUNT, "groups by name")
POLICIES = Name("services.iam", "_policies", _BY_ACCOUNT, "managed policies by ARN")
POLICY_KNOWN = Name(
    "services.iam", "policy_known", "(arn, account_id=...)", "whether there is a managed policy"
)
USER_POLICIES = Name(
    "services.iam", "_user_inline_policies", _BY_ACCOUNT, "the inline policies of users"
)
GROUP_POLICIES = Name(
    "services.iam", "_group_inline_policies", _BY_ACCOUNT, "the inline policies of groups"
)
ACCESS_KEYS = Name("services.iam", "_access_keys", _BY_ACCOUNT, "access keys with their users")
IAM_ERROR = Name(
    "services.iam", "_error", "(status, code, message, ns=...)", "refuses in the protocol of IAM"
)
SESSIONS = Name("services.sts", "_sessions", "dict", "sessions by access key")
REGISTER_SESSION = Name(
    "services.sts", "register_session", "(access_key, session)", "begins a session"
)
STS_ERROR = Name(
    "services.sts", "_error", "(status, code, message, ns=...)", "refuses in the protocol of STS"
)
RESOLVE_CREDENTIAL = Name(
    "core.iam_evaluator",
    "resolve_credential",
    "(access_key_id, account_id=..., session_token=...)",
    "whose an access key is",
)
RESOLVE_PRINCIPAL = Name(
    "core.iam_evaluator",
    "resolve_principal",
    "(access_key_id, account_id, credential=...)",
    "finds the policies of an access key's owner",
)
AUTH_ERROR = Name(
    "core.iam_evaluator", "AuthError", "(code, message, details=...)", "why a key has no policies"
)
UNKNOWN_ACCESS_KEY = Name(
    "core.iam_evaluator", "_unknown_access_key", "()", "the error of a key that is nobody's"
)
VERIFIED_KEY = Name(
    "core.iam_evaluator", "_verified_key", "ContextVar", "who signed the call that is answered"
)
EVAL_RESULT = Name(
    "core.iam_evaluator",
    "EvalResult",
    "(decision, principal_arn=..., matched_sid=..., reason=..., resource_policy_arn=...)",
    "what it is told that policies say",
)
GET_REGION = Name("core.responses", "get_region", "()", "the Region that a call is in")
TABLES = Name("services.dynamodb", "_tables", _BY_REGION, "tables with their keys")

# -- user pools and identity pools ------------------------------------------------------------------------

USER_POOLS = Name(
    "services.cognito", "_user_pools", _BY_REGION, "user pools with their clients and users"
)
IDENTITY_POOLS = Name(
    "services.cognito", "_identity_pools", _BY_REGION, "identity pools with their identities"
)
REVOKED_TOKENS = Name(
    "services.cognito", "_revoked_tokens", "set", "sign-ins that ended, by origin_jti"
)
NEW_USER_ERROR = Name(
    "services.cognito",
    "_new_user_error",
    "(pool, username, attr_dict)",
    "which usernames a pool takes",
)
ACCESS_TOKEN_ERROR = Name(
    "services.cognito", "_access_token_error", "(data)", "checks an access token"
)
TOKEN_CLAIMS = Name("services.cognito", "_token_claims", "(token)", "reads a token")
CREATE_CHALLENGE_SESSION = Name(
    "services.cognito",
    "_create_challenge_session",
    "(pool_id, client_id, username)",
    "the session of a PASSWORD_VERIFIER challenge",
)
SRP_CHALLENGE = Name(
    "services.cognito",
    "_srp_challenge",
    "(pool_id, user, user_id, srp_a, secret_block)",
    "the parameters of a PASSWORD_VERIFIER challenge",
)
GET_CHALLENGE_SESSION = Name(
    "services.cognito",
    "_get_challenge_session",
    "(token)",
    "which PASSWORD_VERIFIER challenge is answered",
)
SRP_RESPONSE_FORMAT_ERROR = Name(
    "services.cognito",
    "_srp_response_format_error",
    "(responses)",
    "what an answer to PASSWORD_VERIFIER must have",
)
SRP_PROOF_VALID = Name(
    "services.cognito",
    "_srp_proof_valid",
    "(pool_id, user, state, responses)",
    "checks the proof of a password",
)
TOTP_MATCHES = Name(
    "services.cognito", "_totp_matches", "(secret_b32, user_code)", "checks a TOTP code"
)
PASSWORD_POLICY_ERRORS = Name(
    "services.cognito", "_password_policy_errors", "(pool, password)", "checks a new password"
)
BUILD_AUTH_RESULT = Name(
    "services.cognito",
    "_build_auth_result",
    "(pool_id, client_id, user, nonce=..., trigger_source=..., client_metadata=..., origin_jti=..., scope=...)",
    "the tokens of a user who has signed in",
)
SIGNED_JWT = Name(
    "services.cognito", "_signed_jwt", "(claims, pool_id=..., use=...)", "signs with a pool's key"
)
WELL_KNOWN_JWKS = Name("services.cognito", "well_known_jwks", "(pool_id)", "a pool's public keys")
IDENTITY_LOGINS_ERROR = Name(
    "services.cognito",
    "_identity_logins_error",
    "(pool, identity_id, logins)",
    "whether an identity has these logins",
)
LINK_LOGINS = Name(
    "services.cognito",
    "_link_logins",
    "(pool, identity_id, logins)",
    "gives an identity its logins",
)

# -- functions --------------------------------------------------------------------------------------------

FUNCTIONS = Name("services.lambda_svc", "_functions", _BY_REGION, "functions by name")
EXECUTE_FUNCTION_WITH_CONFIG_SCOPE = Name(
    "services.lambda_svc",
    "_execute_function_with_config_scope",
    "(func, event)",
    "runs a function in its account and Region",
)
LOG_GROUPS = Name("services.cloudwatch_logs", "_log_groups", _BY_REGION, "log streams of functions")

# -- API Gateway ------------------------------------------------------------------------------------------

REST_APIS = Name("services.apigateway_v1", "_rest_apis", _BY_REGION, "REST APIs by id")
RESOURCES = Name("services.apigateway_v1", "_resources", _BY_REGION, "resources of REST APIs")
REST_AUTHORIZERS = Name(
    "services.apigateway_v1", "_authorizers_v1", _BY_REGION, "authorizers of REST APIs"
)
MODELS = Name("services.apigateway_v1", "_models", _BY_REGION, "models of REST APIs")
REQUEST_VALIDATORS = Name(
    "services.apigateway_v1", "_request_validators", _BY_REGION, "request validators of REST APIs"
)
GATEWAY_RESPONSES = Name(
    "services.apigateway_v1", "_gateway_responses", _BY_REGION, "gateway responses of REST APIs"
)
REST_STAGES = Name("services.apigateway_v1", "_stages_v1", _BY_REGION, "stages of REST APIs")
DOMAIN_NAMES = Name("services.apigateway_v1", "_domain_names", _BY_REGION, "custom domain names")
FIND_DOMAIN_SCOPE = Name(
    "services.apigateway_v1",
    "find_domain_scope",
    "(domain_name)",
    "the account and the Region of a custom domain name",
)
RESOLVE_BASE_PATH_MAPPING = Name(
    "services.apigateway_v1",
    "resolve_base_path_mapping",
    "(domain_name, path)",
    "the API behind a custom domain name",
)
API_KEYS = Name("services.apigateway_v1", "_api_keys", _BY_REGION, "API keys by id")
USAGE_PLANS = Name("services.apigateway_v1", "_usage_plans", _BY_REGION, "usage plans by id")
USAGE_PLAN_KEYS = Name(
    "services.apigateway_v1", "_usage_plan_keys", _BY_REGION, "the API keys of usage plans"
)
HTTP_APIS = Name("services.apigateway", "_apis", _BY_REGION, "HTTP APIs by id")
HTTP_API_PARTS = {
    name: Name("services.apigateway", f"_{name}", _BY_REGION, f"{name} of HTTP APIs")
    for name in ("routes", "integrations", "authorizers", "stages", "deployments")
}
WAF_ERROR = Name("services.waf", "_waf_err", "(code, message)", "refuses in the protocol of WAF")
WEB_ACL_ASSOCIATIONS = Name(
    "services.waf", "_associations", _BY_REGION, "web ACLs in front of stages"
)

TABLE: tuple[Name, ...] = (
    *(value for value in globals().values() if isinstance(value, Name)),
    *HTTP_API_PARTS.values(),
)
"""All names that are read or called; those that are replaced are in ``patches.py``."""
