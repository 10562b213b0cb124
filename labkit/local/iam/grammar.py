"""What AWS says of a policy document that somebody wants to save; None of one that may be saved.

What may be saved is less than what :mod:`labkit.local.iam.policy` reads: an element that means nothing, or a second one
of the same name, is a mistake of who wrote it, and might be the condition that closes the policy.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from labkit.local.iam.condition import is_operator, read_conditions
from labkit.local.iam.policy import (
    VERSION,
    MalformedPolicyError,
    parse_policy,
    parse_trust_policy,
    principal_name,
)

OLD_VERSION = "2008-10-17"
SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"

_IN_A_DOCUMENT = frozenset({"Id", "Statement", "Version"})
_IN_A_STATEMENT = frozenset(
    "Action Condition Effect NotAction NotPrincipal NotResource Principal Resource Sid".split()
)
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
_SID = re.compile(r"[0-9A-Za-z]*")
_VENDOR = re.compile(r"[A-Za-z0-9.-]+")
_PARTITION = re.compile(r"aws(-cn|-eusc|-us-gov|-iso(-[a-z])?)?|\*")
_SERVICE = re.compile(r"([a-z0-9-]+\.)+amazon(aws)?\.com(\.cn)?")
_FEDERATED = re.compile(
    r"accounts\.google\.com|cognito-identity\.amazonaws\.com|graph\.facebook\.com|www\.amazon\.com|"
    r"arn:aws[a-z-]*:iam::\d{12}:(oidc|saml)-provider/.+"
)
_TRUST_ACTIONS = frozenset(
    """
    sts:assumerole sts:assumerolewithsaml sts:assumerolewithwebidentity sts:setcontext sts:setsourceidentity
    sts:tagsession
    """.split()
)

Statement = Mapping[str, Any]


def identity_policy_error(document: object) -> str | None:
    """What IAM has against a policy of a user, a group or a role, in AWS's order and words (iam 1).

    >>> identity_policy_error('{"Version": "2012-10-17", "Statement": []}')
    'Syntax errors in policy.'
    """
    return _error(_check_identity_policy, document)


def trust_policy_error(document: object, exists: Callable[[str], bool]) -> str | None:
    """What IAM has against a role's trust policy (iam 2).

    Args:
        document: JSON text.
        exists: whether a user or a role that the policy names by its ARN is there.
    """
    return _error(lambda found: _check_trust_policy(found, exists), document)


def resource_policy_error(document: object) -> str | None:
    """What a service has against a policy of a resource, such as a bucket or an API (iam 3)."""
    return _error(_check_resource_policy, document)


def _error(check: Callable[[object], None], document: object) -> str | None:
    try:
        check(document)
    except MalformedPolicyError as error:
        return str(error)
    return None


# -- of a user, a group or a role ----------------------------------------------------------------


def _check_identity_policy(document: object) -> None:
    data = _read_json(document, SYNTAX)
    statements = _statements_of(data)
    _refuse(not statements or not _is_document(data), SYNTAX)
    _refuse(not all(map(_is_statement, statements)), SYNTAX)
    _refuse(
        any({"NotPrincipal", "Principal"} & one.keys() for one in statements),
        "Policy document should not specify a principal.",
    )
    _refuse(
        data.get("Version") != VERSION, "Policy document must be version 2012-10-17 or greater."
    )
    _refuse(not all(map(_is_of_today, statements)), LEGACY)
    sids = [one["Sid"] for one in statements if one.get("Sid")]
    _refuse(_has_doubles(sids), "Statement IDs (SID) in a single policy must be unique.")
    _refuse(
        not all(map(_SID.fullmatch, sids)),
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
        "[0-9A-Za-z]*",
    )
    for name in ("Action", "Resource"):
        missing = not all(_texts(one, name) for one in statements)
        _refuse(missing, f"Policy statement must contain {name.lower()}s.")
    for statement in statements:
        for resource in _texts(statement, "Resource"):
            _check_resource(resource)
    for statement in statements:
        for action in _texts(statement, "Action"):
            _check_action(action)
    _parse(lambda: parse_policy(data, with_principal=False), SYNTAX)


def _is_of_today(statement: Statement) -> bool:
    """Whether what AWS calls the legacy parsing takes a statement: effects, dates and ARNs as they are written."""
    if statement["Effect"] not in ("Allow", "Deny"):
        return False
    for operator, block in statement.get("Condition", {}).items():
        if block and "date" in operator.lower():
            try:
                read_conditions({operator: block}, has_variables=True)
            except ValueError:
                return False
    return all(
        one.count(":") >= 5 and one.split(":")[2]
        for one in _texts(statement, "Resource")
        if one.startswith("arn:aws:")
    )


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    _refuse(":" not in resource, f'Resource {resource} must be in ARN format or "*".')
    _refuse(
        resource == "arn:aws", "Resource vendor must be fully qualified and cannot contain regexes."
    )
    partition, *others = resource.split(":", 5)[1:]
    written = ":".join([partition, *others, *"****"[len(others) :]])
    _refuse(
        not _PARTITION.fullmatch(partition),
        f'Partition "{partition}" is not valid for resource "arn:{written}".',
    )
    _refuse(not resource.startswith("arn:") or len(others) < 4, LEGACY)
    service, region, _account, path = others
    _refuse(
        service == "iam" and region != "",
        f"IAM resource {resource} cannot contain region information.",
    )
    _refuse(
        service == "s3" and region != "",
        f"Resource {resource} can not contain region information.",
    )
    _refuse(service == "iam" and not path.startswith(_IAM_PATHS), _IAM_PATH_ERROR)


_IAM_PATHS = (
    "*",
    *(
        "user/ federated-user/ role/ group/ instance-profile/ mfa/ server-certificate/ policy/ sms-mfa/ saml-provider/ "
        "oidc-provider/ report/ access-report/"
    ).split(),
)
_IAM_PATH_ERROR = f'IAM resource path must either be "*" or start with {", ".join(_IAM_PATHS[1:])}.'


def _check_action(action: str) -> None:
    if action == "*":
        return
    vendor, *names = action.split(":")
    _refuse(not names, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    _refuse(len(names) > 1, "Actions/Condition can contain only one colon.")
    _refuse(not _VENDOR.fullmatch(vendor), f"Vendor {vendor} is not valid")


# -- of whom a role trusts -----------------------------------------------------------------------


def _check_trust_policy(document: object, exists: Callable[[str], bool]) -> None:
    data = _read_json(document, "This policy contains invalid Json")
    statements = _check_document(data)
    for statement in statements:
        _check_parts(statement)
        _refuse("Resource" in statement, "Has prohibited field Resource")
        _refuse("NotResource" in statement, "AssumeRole policy must not contain resources.")
        actions = _texts(statement, "Action")
        _refuse(not actions, "Missing required field Action")
        _refuse(
            "NotAction" in statement or not {one.lower() for one in actions} <= _TRUST_ACTIONS,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        )
        for kind, name in _principals_of(statement):
            _refuse(
                not is_principal(kind, name) or (kind == "AWS" and not exists(name)),
                f'Invalid principal in policy: "{kind.upper()}":"{name}"',
            )
    _parse(lambda: parse_trust_policy(data), SYNTAX)


# -- of a resource -------------------------------------------------------------------------------


def _check_resource_policy(document: object) -> None:
    data = _read_json(document, "Policies must be valid JSON and the first byte must be '{'")
    for statement in _check_document(data):
        _check_parts(statement)
        actions, resources = _texts(statement, "Action"), _texts(statement, "Resource")
        _refuse(not actions, "Missing required field Action")
        _refuse(not resources, "Missing required field Resource")
        _refuse(
            not all(one == "*" or one.count(":") == 1 for one in actions),
            "Policy has invalid action",
        )
        for kind, name in _principals_of(statement):
            _refuse(not is_principal(kind, name), "Invalid principal in policy")
    _parse(lambda: parse_policy(data, with_principal=True), "Invalid policy syntax.")


# -- what the last two have in common ------------------------------------------------------------


def _check_document(data: Mapping[str, Any]) -> list[Any]:
    """Check what isn't in a statement; the statements."""
    _refuse_unknown(data, _IN_A_DOCUMENT)
    _refuse(
        data.get("Version", VERSION) not in (VERSION, OLD_VERSION),
        "The policy must contain a valid version string",
    )
    statements = _statements_of(data)
    _refuse(not statements, "Could not parse the policy: Statement is empty!")
    _refuse(not _is_document(data), SYNTAX)
    _refuse(not all(isinstance(one, dict) for one in statements), SYNTAX)
    sids = [one["Sid"] for one in statements if isinstance(one.get("Sid"), str) and one["Sid"]]
    _refuse(_has_doubles(sids), "The Statement Ids in the policy are not unique")
    return statements


def _check_parts(statement: Statement) -> None:
    """Check that a statement says what it does and whom it is about, and says nothing unknown."""
    _refuse_unknown(statement, _IN_A_STATEMENT)
    _refuse("Effect" not in statement, "Missing required field Effect")
    effect = statement["Effect"]
    _refuse(effect not in ("Allow", "Deny"), f"Invalid effect: {effect}")
    _refuse(
        "NotPrincipal" in statement and effect == "Allow", "Allow with NotPrincipal is not allowed."
    )
    _refuse(
        "Principal" not in statement and "NotPrincipal" not in statement,
        "Missing required field Principal",
    )
    _refuse(statement.get("Principal") == {}, "Missing required field Principal cannot be empty!")
    _refuse(not _is_statement(statement), SYNTAX)


def _refuse_unknown(found: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = [name for name in found if name not in known]
    _refuse(bool(unknown), f"Unknown field {unknown[0] if unknown else ''}")


def _principals_of(statement: Statement) -> Iterator[tuple[str, str]]:
    for element in ("Principal", "NotPrincipal"):
        found = statement.get(element)
        kinds = found if isinstance(found, dict) else {}
        for kind in kinds:
            for name in _texts(kinds, kind):
                yield kind, name


def is_principal(kind: str, name: str) -> bool:
    """Whether a policy of a resource may name it: ``("Service", "lambda.amazonaws.com")``."""
    if kind == "Service":
        return _SERVICE.fullmatch(name) is not None
    if kind == "Federated":
        return _FEDERATED.fullmatch(name) is not None
    try:
        return name == "*" or principal_name(kind, name) != ""
    except MalformedPolicyError:
        return False


# -- what all have in common ---------------------------------------------------------------------


def _refuse(wrong: bool, words: str) -> None:
    if wrong:
        raise MalformedPolicyError(words)


def _read_json(document: object, words: str) -> Mapping[str, Any]:
    try:
        text = document if isinstance(document, str) else json.dumps(document)
        found = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except (ValueError, TypeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise MalformedPolicyError(words)
    return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if _has_doubles([name for name, _ in pairs]):
        raise ValueError("an element is there twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _statements_of(data: Mapping[str, Any]) -> list[Any]:
    found = data.get("Statement")
    statements = [found] if isinstance(found, dict) else found
    return statements if isinstance(statements, list) else []


def _is_document(data: Mapping[str, Any]) -> bool:
    return (
        data.keys() <= _IN_A_DOCUMENT
        and isinstance(data.get("Id", ""), str)
        and data.get("Version", VERSION) in (VERSION, OLD_VERSION)
    )


def _is_statement(statement: Any) -> bool:
    """Whether the elements are known ones of the right types, and none stands beside its opposite."""
    if not isinstance(statement, dict) or not statement.keys() <= _IN_A_STATEMENT:
        return False
    effect, condition = statement.get("Effect"), statement.get("Condition", {})
    return (
        isinstance(effect, str)
        and effect.lower() in ("allow", "deny")
        and isinstance(statement.get("Sid", ""), str)
        and not any(one in statement and other in statement for one, other in _PAIRS)
        and all(
            isinstance(text, str)
            for name in ("Action", "NotAction", "Resource", "NotResource")
            for text in _listed(statement.get(name, ""))
        )
        and isinstance(condition, dict)
        and all(map(is_operator, condition))
        and all(isinstance(block, dict) for block in condition.values())
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(statement: Mapping[str, Any], name: str) -> list[str]:
    """What an element, or its ``Not…``, lists."""
    key = name if name in statement else f"Not{name}"
    return [one for one in _listed(statement.get(key, [])) if isinstance(one, str)]


def _has_doubles(names: list[str]) -> bool:
    return any(count > 1 for count in Counter(names).values())


def _parse(parse: Callable[[], object], words: str) -> None:
    """What can't be evaluated isn't saved, whatever AWS does."""
    try:
        parse()
    except MalformedPolicyError as error:
        raise MalformedPolicyError(words) from error
