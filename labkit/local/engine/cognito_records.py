"""What Cognito knows of user pools, users and identity pools, in the API's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Required, TypedDict

JsonObject = dict[str, Any]


class UserPool(TypedDict, total=False):
    """What labkit reads of a user pool as ``DescribeUserPool`` shows it."""

    Id: Required[str]
    Arn: Required[str]
    Name: Required[str]
    AccountRecoverySetting: JsonObject
    AdminCreateUserConfig: JsonObject
    AliasAttributes: list[str]
    AutoVerifiedAttributes: list[str]
    DeletionProtection: str
    EmailMfaConfiguration: JsonObject
    EmailVerificationMessage: str
    EmailVerificationSubject: str
    LambdaConfig: JsonObject
    MfaConfiguration: str
    Policies: JsonObject
    SchemaAttributes: Required[list[JsonObject]]
    UserAttributeUpdateSettings: JsonObject
    UserPoolTier: str
    UsernameAttributes: list[str]
    UsernameConfiguration: JsonObject
    VerificationMessageTemplate: JsonObject


class UserPoolClient(TypedDict, total=False):
    """What labkit reads of an app client as ``DescribeUserPoolClient`` shows it."""

    ClientId: Required[str]
    UserPoolId: Required[str]
    ExplicitAuthFlows: Required[list[str]]
    AuthSessionValidity: int
    ClientSecret: str
    CreationDate: float
    EnableTokenRevocation: bool
    PreventUserExistenceErrors: str
    ReadAttributes: list[str]
    RefreshTokenRotation: JsonObject
    WriteAttributes: list[str]


@dataclass(frozen=True, slots=True)
class User:
    """A user as it was when somebody asked.

    Attributes:
        username: its ``Username``.
        attributes: values by name, ``sub`` among them.
        status: ``UserStatus``: ``CONFIRMED``, ``UNCONFIRMED``, ``FORCE_CHANGE_PASSWORD``…
        enabled: whether it may sign in.
        is_passwordless: it was created without a password and has set none since (cognito 5.1, 5.8).
        mfa_settings: ``UserMFASettingList``.
        preferred_mfa: ``PreferredMfaSetting``; blank when none is.
        has_totp: whether an authenticator app was set up.
        last_totp: the last code of it that was taken, and when (seconds since the epoch).
        password_expires_at: when a temporary password can't be used any more (seconds since the epoch).
    """

    username: str
    attributes: Mapping[str, str] = field(repr=False)
    status: str
    enabled: bool
    is_passwordless: bool
    mfa_settings: tuple[str, ...]
    preferred_mfa: str
    has_totp: bool
    last_totp: tuple[str, float] | None = field(repr=False)
    password_expires_at: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """A group of a user pool; without a precedence it comes after all others (cognito 9.2)."""

    role_arn: str | None
    precedence: int | None


class IdentityPool(TypedDict, total=False):
    """What labkit reads of an identity pool as ``DescribeIdentityPool`` shows it."""

    IdentityPoolId: Required[str]
    AllowUnauthenticatedIdentities: Required[bool]
    CognitoIdentityProviders: list[JsonObject]
    DeveloperProviderName: str
    OpenIdConnectProviderARNs: list[str]
    SamlProviderARNs: list[str]
    SupportedLoginProviders: dict[str, str]


class IdentityPoolRoles(TypedDict):
    """The roles of an identity pool as ``GetIdentityPoolRoles`` shows them."""

    Roles: dict[str, str]
    RoleMappings: dict[str, JsonObject]
