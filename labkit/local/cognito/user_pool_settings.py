"""What a user pool and an app client are when a parameter is left out, and what an update does with it.

Facts: cognito 1, 4.12, 7.4, 7.5.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from labkit.local.cognito.attribute_permissions import check_lists
from labkit.local.cognito.client_secrets import draw_client_secret
from labkit.local.cognito.refresh import rotates
from labkit.local.cognito.triggers import OFFERED
from labkit.local.engine import Operation, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

PASSWORD_POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
"""The default password policy (cognito 1.15)."""

EXPLICIT_AUTH_FLOWS = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"]
"""The default of ``ExplicitAuthFlows``: without ``ALLOW_USER_AUTH`` (cognito 1.12)."""

# What UpdateUserPool sets a left-out parameter to (cognito 1.16). None: the parameter is not reported at all.
_POOL_DEFAULTS: JsonObject = {
    "AccountRecoverySetting": None,
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},
    "AutoVerifiedAttributes": [],
    "DeletionProtection": "INACTIVE",
    "DeviceConfiguration": None,
    "EmailConfiguration": {},
    "EmailVerificationMessage": None,
    "EmailVerificationSubject": None,
    "LambdaConfig": {},
    "MfaConfiguration": "OFF",
    "Policies": {},
    "SmsAuthenticationMessage": None,
    "SmsConfiguration": None,
    "SmsVerificationMessage": None,
    "UserAttributeUpdateSettings": None,
    "UserPoolAddOns": None,
    "UserPoolTags": {},
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
}

# The same for UpdateUserPoolClient. RefreshTokenRotation keeps its value.
_CLIENT_DEFAULTS: JsonObject = {
    "AccessTokenValidity": None,
    "AllowedOAuthFlows": [],
    "AllowedOAuthFlowsUserPoolClient": False,
    "AllowedOAuthScopes": [],
    "AnalyticsConfiguration": None,
    "AuthSessionValidity": 3,
    "CallbackURLs": [],
    "DefaultRedirectURI": None,
    "EnablePropagateAdditionalUserContextData": False,
    "EnableTokenRevocation": True,
    "ExplicitAuthFlows": EXPLICIT_AUTH_FLOWS,
    "IdTokenValidity": None,
    "LogoutURLs": [],
    "PreventUserExistenceErrors": "LEGACY",
    "ReadAttributes": [],
    "RefreshTokenValidity": 30,
    "SupportedIdentityProviders": [],
    "TokenValidityUnits": {},
    "WriteAttributes": [],
}

_STANDARD_SCOPES = {"phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"}

_UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
# (parameter, its default unit, shortest, longest), in seconds (cognito 6.9; API reference)
_VALIDITIES = (
    ("AccessToken", "hours", 300, 86400),
    ("IdToken", "hours", 300, 86400),
    ("RefreshToken", "days", 3600, 315360000),
)


class UserPoolSettings:
    """Defaults, replacing updates and the rules between settings.

    Args:
        user_pools: their records.
    """

    def __init__(self, user_pools: UserPools) -> None:
        self._user_pools = user_pools

    async def create_user_pool(self, body: JsonObject, proceed: Operation) -> Response:
        """``CreateUserPool`` (cognito 1.1, 1.15)."""
        if body.get("AliasAttributes") and body.get("UsernameAttributes"):  # cognito 16.13
            raise ApiError(
                "InvalidParameterException",
                "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.",
            )
        policies = _policies(body.get("Policies"))
        tier = body.get("UserPoolTier")
        _refuse_factors(policies, body.get("MfaConfiguration", "OFF"), tier, None)
        _refuse_trigger_version(body, tier, None)
        _refuse_triggers(body)
        _refuse_unsent(body)
        template = {**_POOL_DEFAULTS["VerificationMessageTemplate"]}
        template |= body.get("VerificationMessageTemplate") or {}
        full = {**body, "Policies": policies, "VerificationMessageTemplate": template}
        response = await proceed("CreateUserPool", full)
        if response.status != 200:
            return response
        answer = response.json()
        unset = _unset(_POOL_DEFAULTS, body)
        self._user_pools.change_user_pool(answer["UserPool"]["Id"], {}, unset)
        _forget(answer["UserPool"], unset)
        return json_response(answer)

    async def update_user_pool(self, body: JsonObject, proceed: Operation) -> Response:
        """``UpdateUserPool``: replaces all settings but the name and the plan (cognito 1.16)."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("UpdateUserPool", body)
        full = {**deepcopy(_POOL_DEFAULTS), **body}
        full["Policies"] = _policies(body.get("Policies"))
        current = pool.get("UserPoolTier")
        tier = body.get("UserPoolTier", current)
        _refuse_factors(full["Policies"], full["MfaConfiguration"], tier, current)
        _refuse_trigger_version(full, tier, current)
        _refuse_triggers(full)
        _refuse_unsent(full)
        sent = {name: value for name, value in full.items() if value is not None}
        response = await proceed("UpdateUserPool", sent)
        if response.status == 200:
            name = body.get("PoolName", pool["Name"])
            self._user_pools.change_user_pool(
                pool["Id"], {"Name": name}, _unset(_POOL_DEFAULTS, body)
            )
        return response

    async def delete_user_pool(self, body: JsonObject, proceed: Operation) -> Response:
        """``DeleteUserPool``: not while deletion protection is on."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is not None and pool.get("DeletionProtection") == "ACTIVE":
            raise ApiError(
                "InvalidParameterException",
                "The user pool cannot be deleted because deletion protection is activated. "
                "Deletion protection must be inactivated first.",
            )
        return await proceed("DeleteUserPool", body)

    async def set_mfa_configuration(self, body: JsonObject, proceed: Operation) -> Response:
        """``SetUserPoolMfaConfig``: not ``ON`` while a code is a first factor (cognito 4.12)."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is not None and "MfaConfiguration" in body:
            _refuse_factors(_policies(pool.get("Policies")), body["MfaConfiguration"], None, None)
        return await proceed("SetUserPoolMfaConfig", body)

    async def create_client(self, body: JsonObject, proceed: Operation) -> Response:
        """``CreateUserPoolClient`` (cognito 1.12, 7.4, 7.5)."""
        flows = body.get("ExplicitAuthFlows") or [
            flow
            for flow in EXPLICIT_AUTH_FLOWS
            if not (rotates(body) and flow == "ALLOW_REFRESH_TOKEN_AUTH")
        ]
        full = {**body, "ExplicitAuthFlows": flows}
        _refuse_rotation_with_refresh_flow(full)
        _refuse_validities(full)
        self._refuse_unknown_scopes(full)
        if pool := self._user_pools.user_pool(body["UserPoolId"]):
            check_lists(pool, full, "creating")
        response = await proceed("CreateUserPoolClient", full)
        return self._correct_client(response, body)

    async def update_client(self, body: JsonObject, proceed: Operation) -> Response:
        """``UpdateUserPoolClient``: replaces all settings but the name (cognito 1.16 for app clients)."""
        client = self._user_pools.client(body["UserPoolId"], body["ClientId"])
        if client is None:
            return await proceed("UpdateUserPoolClient", body)
        full = {**deepcopy(_CLIENT_DEFAULTS), **body}
        _refuse_rotation_with_refresh_flow(
            {"RefreshTokenRotation": client.get("RefreshTokenRotation"), **full}
        )
        _refuse_validities(full)
        self._refuse_unknown_scopes(full)
        if pool := self._user_pools.user_pool(body["UserPoolId"]):
            check_lists(pool, full, "updating")
        sent = {name: value for name, value in full.items() if value is not None}
        return self._correct_client(await proceed("UpdateUserPoolClient", sent), body)

    def _refuse_unknown_scopes(self, client: JsonObject) -> None:
        """A scope of one's own is one of a resource server (awsdocs/aws-cloudformation-user-guide#564)."""
        pool_id = client["UserPoolId"]
        if self._user_pools.user_pool(pool_id) is None:
            return
        known = _STANDARD_SCOPES | self._user_pools.custom_scopes(pool_id)
        for scope in client.get("AllowedOAuthScopes") or ():
            if scope not in known:
                raise ApiError("ScopeDoesNotExistException", f"Invalid scope requested: {scope}")

    def _correct_client(self, response: Response, body: JsonObject) -> Response:
        if response.status != 200:
            return response
        answer = response.json()
        client = answer["UserPoolClient"]
        changes: JsonObject = {}
        if body.get("GenerateSecret"):
            # MiniStack's secrets contain characters that GetTokensFromRefreshToken doesn't take.
            changes["ClientSecret"] = draw_client_secret()
        if "RefreshTokenRotation" in body:
            # MiniStack drops the setting. A client that never had it doesn't report it (cognito C-16).
            changes["RefreshTokenRotation"] = {
                "RetryGracePeriodSeconds": 0,
                **body["RefreshTokenRotation"],
            }
        unset = _unset(_CLIENT_DEFAULTS, body)
        self._user_pools.change_client(client["UserPoolId"], client["ClientId"], changes, unset)
        client.update(changes)
        _forget(client, unset)
        return json_response(answer)


def _unset(defaults: JsonObject, body: JsonObject) -> list[str]:
    # MiniStack reports what was never set as an empty text, which is no value that an update may send back.
    return [name for name, default in defaults.items() if default is None and name not in body]


def _forget(record: JsonObject, names: list[str]) -> None:
    for name in names:
        record.pop(name, None)


def _policies(given: JsonObject | None) -> JsonObject:
    return {
        "PasswordPolicy": PASSWORD_POLICY,
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]},
        **(given or {}),
    }


def _refuse_factors(
    policies: JsonObject, mfa: str, tier: str | None, current_tier: str | None
) -> None:
    factors = set(policies["SignInPolicy"].get("AllowedFirstAuthFactors") or ["PASSWORD"])
    if factors == {"WEB_AUTHN"}:
        raise ApiError(
            "InvalidParameterException",
            "WEB_AUTHN must be accompanied by at least one other first authentication factor.",
        )
    if "PASSWORD" not in factors:
        raise ApiError(
            "InvalidParameterException", "AllowedFirstAuthFactors must contain PASSWORD."
        )
    if mfa == "ON" and factors & {"EMAIL_OTP", "SMS_OTP"}:
        raise ApiError(
            "InvalidParameterException",
            "EMAIL_OTP and SMS_OTP can't be first authentication factors while MFA is required.",
        )
    if tier == "LITE" and factors - {"PASSWORD"}:
        raise _not_in_lite("Passwordless Sign-In", current_tier)


def _refuse_trigger_version(pool: JsonObject, tier: str | None, current_tier: str | None) -> None:
    """Only the ID token may be changed in the plan Lite (cognito 9.4)."""
    trigger = (pool.get("LambdaConfig") or {}).get("PreTokenGenerationConfig") or {}
    version = trigger.get("LambdaVersion", "V1_0")
    if tier == "LITE" and version != "V1_0":
        feature = f"Token Customization with Pre-Token Generation Lambda {version}"
        raise _not_in_lite(feature, current_tier)


def _refuse_triggers(pool: JsonObject) -> None:
    """A trigger that isn't run isn't stored."""
    for name, value in (pool.get("LambdaConfig") or {}).items():
        if value and name not in OFFERED:
            raise not_offered(f"LambdaConfig.{name}", "InvalidParameterException")


def _refuse_unsent(pool: JsonObject) -> None:
    """No link that confirms, and no text message, is sent here."""
    template = pool.get("VerificationMessageTemplate") or {}
    if template.get("DefaultEmailOption") == "CONFIRM_WITH_LINK":
        raise not_offered("CONFIRM_WITH_LINK", "InvalidParameterException")
    settings = pool.get("UserAttributeUpdateSettings") or {}
    first = settings.get("AttributesRequireVerificationBeforeUpdate") or ()
    automatic = pool.get("AutoVerifiedAttributes") or ()
    if "phone_number" in (*first, *automatic):
        raise not_offered("verification of phone_number", "InvalidParameterException")
    for name in first:
        if name not in automatic:
            raise ApiError(
                "InvalidParameterException",
                f"AttributesRequireVerificationBeforeUpdate has {name}, which "
                "AutoVerifiedAttributes doesn't have.",
            )


def not_offered(what: str, error_type: str) -> ApiError:
    """The refusal of what AWS has and the local cloud hasn't."""
    return ApiError(error_type, f"The local cloud doesn't offer {what}.")


def _not_in_lite(feature: str, current_tier: str | None) -> ApiError:
    changed = current_tier not in (None, "LITE")
    return ApiError(
        "TierChangeNotAllowedException" if changed else "FeatureUnavailableInTierException",
        "The following features need to be disabled for the LITE pricing tier configured: "
        + feature,
    )


def _refuse_rotation_with_refresh_flow(client: JsonObject) -> None:
    if rotates(client) and "ALLOW_REFRESH_TOKEN_AUTH" in client["ExplicitAuthFlows"]:
        raise ApiError(
            "InvalidParameterException",
            "ALLOW_REFRESH_TOKEN_AUTH can't be enabled together with refresh token rotation.",
        )


def _refuse_validities(client: JsonObject) -> None:
    units = client.get("TokenValidityUnits") or {}
    for token, default_unit, shortest, longest in _VALIDITIES:
        value = client.get(f"{token}Validity")
        seconds = (value or 0) * _UNIT_SECONDS[units.get(token, default_unit)]
        if value and not shortest <= seconds <= longest:
            raise ApiError("InvalidParameterException", "Invalid range for token validity.")
