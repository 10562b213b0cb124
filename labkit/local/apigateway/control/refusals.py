"""Refusals of API Gateway's control planes, as exceptions."""

from __future__ import annotations

from labkit.local.json_protocol import ApiError


def bad_request(message: str) -> ApiError:
    """What was asked for can't be."""
    return ApiError("BadRequestException", message)


def not_found(message: str) -> ApiError:
    """What was named isn't there."""
    return ApiError("NotFoundException", message, 404)


def conflict(message: str) -> ApiError:
    """It is there already, or is in use."""
    return ApiError("ConflictException", message, 409)


def not_offered(what: str) -> ApiError:
    """AWS has it, the local cloud hasn't."""
    return bad_request(f"The local cloud doesn't offer {what}.")


def invalid_api_id(account_id: str, api_id: str) -> ApiError:
    """Of most operations on an API that isn't there (recorded 1.20)."""
    return not_found(f"Invalid API identifier specified {account_id}:{api_id}")
