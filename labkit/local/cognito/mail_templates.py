"""What the mails of a user pool say: its templates, or Cognito's own words.

Facts: cognito 2.12, 5.5; AWS's own default texts aren't known.
"""

from __future__ import annotations

from typing import Any

from labkit.local.engine import User, UserPool

JsonObject = dict[str, Any]


def mask_address(address: str) -> str:
    """An address as Cognito shows it (cognito 2.12).

    >>> mask_address("jane@example.com")
    'j***@e***'
    """
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"


def delivery_details(address: str) -> JsonObject:
    """``CodeDeliveryDetails`` of a mail."""
    return {
        "Destination": mask_address(address),
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }


def code_mail(pool: UserPool, user: User, code: str) -> tuple[str, str]:
    """(subject, body) of a mail with a code."""
    template = pool.get("VerificationMessageTemplate") or {}
    subject = template.get("EmailSubject") or pool.get("EmailVerificationSubject")
    body = template.get("EmailMessage") or pool.get("EmailVerificationMessage")
    return _filled(
        pool,
        user,
        subject or "Your verification code",
        body or "Your verification code is {####}.",
        code,
    )


def invitation_mail(pool: UserPool, user: User, password: str | None) -> tuple[str, str]:
    """(subject, body) of an invitation; without a password to a user who has none (cognito 5.5)."""
    if password is None:
        return "Your username", f"Your username is {_shown_name(pool, user)}."
    template = (pool.get("AdminCreateUserConfig") or {}).get("InviteMessageTemplate") or {}
    return _filled(
        pool,
        user,
        template.get("EmailSubject") or "Your temporary password",
        template.get("EmailMessage")
        or "Your username is {username} and temporary password is {####}.",
        password,
    )


def _filled(pool: UserPool, user: User, subject: str, body: str, secret: str) -> tuple[str, str]:
    name = _shown_name(pool, user)
    subject, body = (text.replace("{username}", name) for text in (subject, body))
    return subject.replace("{####}", secret), body.replace("{####}", secret)


def _shown_name(pool: UserPool, user: User) -> str:
    """The name that the user knows: the address where that is the pool's username."""
    for attribute in ("email", "phone_number"):
        value = user.attributes.get(attribute)
        if value and attribute in (pool.get("UsernameAttributes") or ()):
            return value
    return user.username
