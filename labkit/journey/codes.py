"""The machine codes of a journey's steps: one for each thing that a learner mends differently."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """Why a gate stopped a request, or what it skipped that somebody may have expected.

    What AWS answers is no part of it: two doors may say one code in different words, and a door may
    have one word for many codes.

    Attributes:
        meaning: what happened, in one line.
    """

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        """A member; to look one up, its value is enough."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # -- what the local cloud doesn't do, at any gate ----------------------------------------------
    UNSUPPORTED = "local-cloud.unsupported", "the local cloud doesn't do this and stops; AWS would"

    # -- route: the way in, the stage, the method --------------------------------------------------
    API_NOT_FOUND = "api.not-found", "there is no such API in this Region"
    CLIENT_CERTIFICATE = "mutual-tls.client-certificate", "no good client certificate came along"
    TRUST_STORE = "mutual-tls.trust-store", "the domain name's trust store can't be read"
    MAPPING_NOT_FOUND = "domain.mapping-not-found", "no base path mapping of the domain name fits"
    ENDPOINT_DISABLED = "endpoint.disabled", "the API's default endpoint is switched off"
    VPC_ENDPOINT_REQUIRED = "endpoint.vpc-endpoint-required", "a private API, called from outside"
    VPC_ENDPOINT_NOT_SERVED = "endpoint.vpc-endpoint-not-served", "HTTP APIs have no private way in"
    GET_WITH_BODY = "cloudfront.get-with-body", "CloudFront refuses a GET that has a body"
    BODY_TOO_LARGE = "request.body-too-large", "the request's body is larger than 10 MB"
    URI_TOO_LONG = "request.uri-too-long", "the path's ARN is longer than 1,600 bytes"
    STAGE_NOT_FOUND = "stage.not-found", "the API has no such stage"
    STAGE_NOT_DEPLOYED = "stage.not-deployed", "the stage serves no deployment"
    ROUTE_NOT_FOUND = "route.not-found", "the stage's deployment has no such path and verb"
    ROUTE_AMBIGUOUS = "route.ambiguous", "two routes fit the request equally well"

    # -- resource policy ---------------------------------------------------------------------------
    RESOURCE_POLICY_EXPLICIT_DENY = "resource-policy.explicit-deny", "a statement denies the call"
    RESOURCE_POLICY_IMPLICIT_DENY = "resource-policy.implicit-deny", "no statement allows the call"
    RESOURCE_POLICY_MISSING = "resource-policy.missing", "the call needs one, and there is none"
    RESOURCE_POLICY_MALFORMED = "resource-policy.malformed", "the resource policy can't be read"

    # -- authorizer: any type ----------------------------------------------------------------------
    AUTHORIZATION_NONE = "authorizer.none", "skipped: the method is open (authorization NONE)"
    AUTHORIZER_NOT_FOUND = "authorizer.not-found", "the deployment hasn't the method's authorizer"
    AUTHORIZER_SETTINGS = "authorizer.settings", "the authorizer's settings can't be used"
    IDENTITY_SOURCE_MISSING = "authorizer.identity-source-missing", "an identity source is missing"
    IDENTITY_SOURCE_TWICE = "authorizer.identity-source-twice", "an identity source comes twice"
    IDENTITY_VALIDATION = "authorizer.identity-validation", "the token doesn't match its pattern"

    # -- authorizer: tokens (COGNITO_USER_POOLS, JWT) ----------------------------------------------
    TOKEN_MISSING = "authorizer.token-missing", "there is no token where the authorizer reads it"
    TOKEN_MALFORMED = "authorizer.token-malformed", "it isn't a JWT, or wasn't copied whole"
    TOKEN_SCHEME = (
        "authorizer.token-scheme",
        "in front of the token stands no “Bearer” with a space",
    )
    TOKEN_QUOTES = "authorizer.token-quotes", "there are quotes around the token"
    TOKEN_BLANKS = "authorizer.token-blanks", "there are blanks in the token or beside it"
    TOKEN_ENCRYPTED = "authorizer.token-encrypted", "the token is encrypted, as a refresh token is"
    TOKEN_SIGNATURE = "authorizer.token-signature", "the token isn't what its key signed with RS256"
    TOKEN_ISSUER = "authorizer.token-issuer", "another user pool or issuer made the token"
    TOKEN_CLIENT = "authorizer.token-client", "the user pool hasn't the token's app client"
    TOKEN_AUDIENCE = "authorizer.token-audience", "aud or client_id isn't in the JWT audience"
    TOKEN_VALIDATION = "authorizer.token-validation", "aud doesn't match the token validation"
    TOKEN_ALGORITHM = "authorizer.token-algorithm", "its algorithm isn't in defaultAlgorithms"
    TOKEN_CLAIM = "authorizer.token-claim", "an additional claim isn't as the authorizer demands"
    TOKEN_EXPIRED = "authorizer.token-expired", "the token has expired (exp)"
    TOKEN_NOT_YET_VALID = "authorizer.token-not-yet-valid", "the token is for later (nbf, iat)"
    ACCESS_TOKEN_REQUIRED = "authorizer.access-token-required", "the method has scopes: no ID token"
    ID_TOKEN_REQUIRED = "authorizer.id-token-required", "the method has no scopes: no access token"
    SCOPE_MISSING = "authorizer.scope-missing", "the token has none of the method's scopes"

    # -- authorizer: a Lambda function -------------------------------------------------------------
    AUTHORIZER_PERMISSION = "authorizer.permission", "API Gateway may not invoke the function"
    AUTHORIZER_FAILED = "authorizer.function-failed", "the authorizer's function raised an error"
    AUTHORIZER_TIMEOUT = "authorizer.function-timeout", "the authorizer's function was too slow"
    AUTHORIZER_THROTTLED = "authorizer.function-throttled", "Lambda didn't run the function"
    AUTHORIZER_UNAUTHORIZED = "authorizer.unauthorized", "the function raised “Unauthorized”"
    AUTHORIZER_HTTP_ANSWER = "authorizer.http-answer", "an HTTP answer where a policy is wanted"
    AUTHORIZER_CONTEXT = "authorizer.context", "the context isn't an object of plain values"
    AUTHORIZER_RESULT = "authorizer.result", "the function's result isn't one of an authorizer"
    AUTHORIZER_DENIED = "authorizer.denied", "the simple response says isAuthorized false"
    AUTHORIZER_EXPLICIT_DENY = "authorizer.explicit-deny", "the function's policy denies the method"
    AUTHORIZER_IMPLICIT_DENY = "authorizer.implicit-deny", "its policy doesn't allow the method"
    AUTHORIZER_CACHED_IMPLICIT_DENY = "authorizer.cached-implicit-deny", "a cached policy doesn't"

    # -- authorizer: Signature v4 and the caller's policies (AWS_IAM) ------------------------------
    NOT_SIGNED = "iam.not-signed", "the request isn't signed"
    NOT_A_SIGNATURE = "iam.not-a-signature", "Authorization holds something else, such as a token"
    SIGNED_TWICE = "iam.signed-twice", "the request has two authorizations"
    SIGNATURE_INCOMPLETE = "iam.signature-incomplete", "a part is missing or has the wrong form"
    SIGNATURE_REGION = "iam.wrong-region", "it is for another Region (and perhaps service)"
    SIGNATURE_SERVICE = "iam.wrong-service", "the signature is for another service"
    SIGNATURE_SCOPE = "iam.malformed-scope", "the credential scope's date or end is wrong"
    SIGNATURE_EXPIRED = "iam.signature-expired", "the signature is too old"
    SIGNATURE_NOT_YET_CURRENT = "iam.signature-not-yet-current", "the signature is from the future"
    SIGNATURE_MISMATCH = "iam.signature-mismatch", "the signature doesn't fit what arrived"
    ACCESS_KEY_UNKNOWN = "iam.access-key-unknown", "no active access key has this id"
    SESSION_TOKEN = "iam.session-token", "the session token is missing, or of another key"
    CREDENTIALS_EXPIRED = "iam.credentials-expired", "the temporary credentials have expired"
    OTHER_ACCOUNT = "iam.other-account", "an HTTP API lets no caller of another account in"
    IAM_EXPLICIT_DENY = "iam.explicit-deny", "a policy of the caller denies the method"
    IAM_IMPLICIT_DENY = "iam.implicit-deny", "no policy of the caller allows the method"

    # -- api key and usage plan --------------------------------------------------------------------
    API_KEY_NOT_REQUIRED = "api-key.not-required", "skipped: the method requires no API key"
    API_KEY_MISSING = "api-key.missing", "there is no API key"
    API_KEY_UNKNOWN = "api-key.unknown", "no enabled API key has this value"
    API_KEY_NOT_IN_PLAN = "api-key.not-in-usage-plan", "no usage plan holds the key and the stage"
    QUOTA_EXCEEDED = "usage-plan.quota-exceeded", "the key's quota is used up"

    # -- throttle ----------------------------------------------------------------------------------
    THROTTLE_ACCOUNT = "throttle.account", "the account's limit in this Region"
    THROTTLE_STAGE = "throttle.stage", "the limit of the stage, of its method or of its route"
    THROTTLE_USAGE_PLAN = "throttle.usage-plan", "the limit of the key's usage plan"

    # -- validation --------------------------------------------------------------------------------
    VALIDATION_PARAMETERS = "validation.parameters", "a required parameter is missing or blank"
    VALIDATION_BODY = "validation.body", "the body isn't JSON, or doesn't fit the model"
    VALIDATION_SETTINGS = "validation.settings", "the validator or the model can't be used"

    # -- integration -------------------------------------------------------------------------------
    INTEGRATION_MISSING = "integration.missing", "the method or route has no integration"
    INTEGRATION_SETTINGS = "integration.settings", "the URI, the verb or the format can't be used"
    INTEGRATION_TEMPLATE = (
        "integration.template",
        "the request template gives no statusCode",
    )
    INTEGRATION_RESPONSE = "integration.response", "no integration response fits the status"
    INTEGRATION_MEDIA_TYPE = "integration.media-type", "no request template for this content type"
    INTEGRATION_PERMISSION = "integration.permission", "API Gateway may not invoke the function"
    INTEGRATION_CREDENTIALS = (
        "integration.credentials",
        "its credentials may not invoke the function",
    )
    INTEGRATION_THROTTLED = "integration.function-throttled", "Lambda didn't run the function"
    INTEGRATION_FAILED = "integration.function-failed", "the function raised an error"
    INTEGRATION_RESULT = "integration.result", "the function's result is no HTTP answer"
    INTEGRATION_TIMEOUT = "integration.timeout", "the backend didn't answer in time"
    INTEGRATION_UNREACHABLE = "integration.unreachable", "the backend can't be reached"
