"""``jwtConfiguration`` of a REST API's JWT authorizer, as a deployment froze it."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.local.apigateway.records import Record, is_true, mapping, text, texts
from labkit.tokens.authorizer_rules import AdditionalClaim


@dataclass(frozen=True, slots=True)
class JwtIssuer:
    """An issuer whose tokens are trusted.

    Attributes:
        name: what ``iss`` must be.
        jwks_uri: where its keys are, as it said when the authorizer was configured (rest_jwt 16.33).
        audiences: of which a token names one.
        additional_claims: what else it must say. They belong to this issuer (rest_jwt 16.27).
    """

    name: str
    jwks_uri: str
    audiences: tuple[str, ...]
    additional_claims: tuple[AdditionalClaim, ...]


@dataclass(frozen=True, slots=True)
class JwtConfiguration:
    """The issuers and, for all of them, the algorithms (rest_jwt 16.21)."""

    issuers: tuple[JwtIssuer, ...]
    algorithms: tuple[str, ...]

    def issuer(self, name: object) -> JwtIssuer | None:
        """The issuer whose name this is, letter by letter (rest_jwt 16.20)."""
        return next((issuer for issuer in self.issuers if issuer.name == name), None)


def freeze_jwt_configuration(record: Record) -> JwtConfiguration:
    """The configuration in a record."""
    return JwtConfiguration(
        tuple(_issuer(mapping(one)) for one in record.get("issuers") or ()),
        texts(record.get("defaultAlgorithms")),
    )


def _issuer(record: Record) -> JwtIssuer:
    claims = (mapping(one) for one in record.get("additionalClaims") or ())
    return JwtIssuer(
        text(record, "issuer"),
        text(record, "jwksUri"),
        texts(record.get("audiences")),
        tuple(
            AdditionalClaim(
                text(claim, "claimName"),
                is_true(claim.get("required")),
                texts(claim.get("expectedValues")),
            )
            for claim in claims
        ),
    )
