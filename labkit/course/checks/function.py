"""Task 1: the execution role with its two policies, and the function that has it."""

from __future__ import annotations

import json
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from labkit import names
from labkit.course.build import BASIC_EXECUTION_POLICY
from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing
from labkit.course.checks.statements import allows, as_list, principals_of
from labkit.course.resources import client, listed, region_in_use

_LAMBDA = "lambda.amazonaws.com"
_BASIC = BASIC_EXECUTION_POLICY.rpartition("/")[2]
_LOG_ACTIONS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_OTHER_ACTIONS = ("s3:GetObject", "dynamodb:GetItem", "lambda:InvokeFunction", "iam:CreateUser")
"""What a role that may only write logs isn't allowed."""
_NO_SUCH_HANDLER = ("HandlerNotFound", "ImportModuleError", "MalformedHandlerName")
_GREETING = "Hello from Lambda!"


def is_trusted(_look: Look) -> str:
    """Task 1.1: the Lambda service, and nobody else, may assume the execution role.

    Raises:
        Missing: it may not, or others may too.
    """
    role = _role()
    _check_trust(role)
    remark = found.remark_on(role.get("Tags"))
    return f"The Lambda service may assume {role['RoleName']}.{remark}"


def is_permitted(_look: Look) -> str:
    """Task 1.2: the role may write the function's logs, and nothing else.

    Raises:
        Missing: it may not, or it may do more.
    """
    role = _role()
    _check_permissions(role)
    return f"{role['RoleName']} may write logs, and nothing else."


def answers(_look: Look | None = None) -> str:
    """Task 1.3: the function has that role, and gives the answer that API Gateway wants.

    Raises:
        Missing: it hasn't, or gives another one.
    """
    function = found.function()
    if not function:
        others = [each["FunctionName"] for each in listed(client("lambda"), "list_functions")]
        raise Missing(
            f"There is no function named {names.FUNCTION}.{_close_to(names.FUNCTION, others)}",
            "Create it with lambda_.create_function, with this very name.",
        )
    _check_settings(function)
    role = _role()
    _check_trust(role)
    _check_permissions(role)
    _check_answer(function)
    tags = client("lambda").get_function(FunctionName=names.FUNCTION).get("Tags")
    return f"{names.FUNCTION} has its role, and answers as it should.{found.remark_on(tags)}"


def _role() -> dict[str, Any]:
    """The function's role; before there is a function the one for it, to whose name the console adds something."""
    iam, function = client("iam"), found.function()
    wanted = str(function["Role"]).rpartition("/")[2] if function else names.ROLE
    if not wanted.startswith(names.ROLE):
        raise Missing(
            f"The function has another role: {wanted}.", f"Give it the role {names.ROLE}."
        )
    try:
        return dict(iam.get_role(RoleName=wanted)["Role"])
    except iam.exceptions.NoSuchEntityException:
        others = [role["RoleName"] for role in listed(iam, "list_roles")]
    made_up = sorted(name for name in others if name.startswith(f"{names.ROLE}-"))
    if made_up and not function:
        return dict(iam.get_role(RoleName=made_up[0])["Role"])
    if function:
        raise Missing(f"The function's role {wanted} is gone.", "Create it again.")
    raise Missing(
        f"There is no role named {wanted}.{_close_to(wanted, others)}",
        "Create it with iam.create_role, with this very name.",
    )


def _close_to(wanted: str, others: list[str]) -> str:
    close = get_close_matches(wanted, others, n=1)
    return f" There is {close[0]}." if close else ""


def _check_trust(role: dict[str, Any]) -> None:
    statements = as_list(role["AssumeRolePolicyDocument"].get("Statement"))
    if effects := {str(each.get("Effect")) for each in statements} - {"Allow"}:
        raise Missing(
            f"A statement of the trust policy has the effect {_joined(effects)}: it lets nobody assume the role.",
            "Change its Effect.",
        )
    trusted = {name for each in statements for name in principals_of(each)}
    if "*" in trusted:
        raise Missing(
            "The trust policy trusts everybody: its principal is *.",
            "Name one service as the principal: the one that runs your function.",
        )
    if _LAMBDA not in trusted:
        raise Missing(
            f"The trust policy trusts {_joined(trusted) or 'nobody'}, so Lambda may not assume the role.",
            "Name Lambda's service principal, under the key Service.",
        )
    if others := trusted - {_LAMBDA}:
        raise Missing(
            f"Besides Lambda, {_joined(others)} may assume the role.",
            "Leave one principal in the trust policy.",
        )
    if not any(allows(each, "sts:AssumeRole") for each in statements):
        actions = {str(action) for each in statements for action in as_list(each.get("Action"))}
        raise Missing(
            f"The trust policy allows {_joined(actions) or 'no action'}: that is not to assume the role.",
            "The action belongs to the service STS.",
        )
    if any(each.get("Condition") for each in statements):
        raise Missing(
            "The trust policy has a condition, and Lambda may not meet it.",
            "Leave the condition out.",
        )


def _check_permissions(role: dict[str, Any]) -> None:
    iam, name = client("iam"), {"RoleName": role["RoleName"]}
    policies = listed(iam, "list_attached_role_policies", **name)
    attached = {str(policy["PolicyName"]) for policy in policies}
    arns = {str(policy["PolicyArn"]) for policy in policies}
    inline = set(listed(iam, "list_role_policies", **name))
    if not attached | inline:
        raise Missing(
            "The role has no permissions policy, so its function can't even write logs.",
            f"Attach {_BASIC} with iam.attach_role_policy.",
        )
    account = str(role["Arn"]).split(":")[4]
    group = f"arn:aws:logs:{region_in_use()}:{account}:log-group:{names.LOG_GROUP}"
    if len(_allowed(role, _LOG_ACTIONS, f"{group}:log-stream:any")) < len(_LOG_ACTIONS):
        raise Missing(
            f"The role has {_joined(attached | inline)}, and still may not write the function's logs.",
            f"Attach {_BASIC}. Its ARN has service-role in its path.",
        )
    if more := _allowed(role, _OTHER_ACTIONS, "*"):
        raise Missing(
            f"The role may do more than write logs, for example {more[0]}.",
            f"Leave {_BASIC} as its only policy.",
        )
    if len(arns | inline) > 1:
        others = {arn for arn in arns if not _is_basic(arn)} | inline
        raise Missing(
            f"Besides {_BASIC}, the role has {_joined(others)}.",
            "Detach what the function doesn't need.",
        )


def _is_basic(arn: str) -> bool:
    """Whether it is the policy for a function's logs: AWS's, or the console's copy of it."""
    return arn.partition(":policy/service-role/")[2].startswith(_BASIC)


def _allowed(role: dict[str, Any], actions: tuple[str, ...], resource: str) -> list[str]:
    """Those of some actions that IAM would allow the role."""
    answer = client("iam").simulate_principal_policy(
        PolicySourceArn=role["Arn"], ActionNames=list(actions), ResourceArns=[resource]
    )
    results = answer.get("EvaluationResults", [])
    return [each["EvalActionName"] for each in results if each["EvalDecision"] == "allowed"]


def _check_settings(function: dict[str, Any]) -> None:
    runtime, architectures = function.get("Runtime"), function.get("Architectures") or ["x86_64"]
    if runtime != "python3.13":
        raise Missing(f"The runtime is {runtime}.", "The lab's is Python 3.13: python3.13.")
    if architectures != ["x86_64"]:
        raise Missing(f"The architecture is {_joined(set(architectures))}.", "The lab's is x86_64.")
    state = function.get("State", "Active")
    if state != "Active" or function.get("LastUpdateStatus") == "InProgress":
        raise Missing(
            f"The function isn't ready: its state is {state}.",
            "Wait with the waiter function_active_v2.",
            late=True,
        )


def _check_answer(function: dict[str, Any]) -> None:
    lambda_ = client("lambda")
    try:
        answer = lambda_.invoke(FunctionName=names.FUNCTION)
    except lambda_.exceptions.TooManyRequestsException:
        raise Missing(
            f"Lambda doesn't run {names.FUNCTION} now: its reserved concurrency is 0, or others use it up.",
            "Take it away with lambda_.delete_function_concurrency, or check again.",
            late=True,
        ) from None
    payload = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        kind, message = str(payload.get("errorType")), str(payload.get("errorMessage"))[:200]
        if kind.endswith(_NO_SUCH_HANDLER):
            raise Missing(
                f"The handler {function.get('Handler')} doesn't exist: {message}.",
                "Its name is the file without .py, a dot, and the function in it.",
            )
        raise Missing(f"The function fails: {message}.", "Mend its code, and upload it again.")
    if not isinstance(payload, dict) or "statusCode" not in payload:
        raise Missing(
            f"The function answers {str(payload)[:200]!r}: API Gateway wants an object with statusCode and body.",
            "Return a dictionary with these two keys.",
        )
    status, body = payload["statusCode"], payload.get("body")
    if str(status) != str(HTTPStatus.OK.value):
        raise Missing(f"The function answers with the statusCode {status}.", "The lab's is 200.")
    if not isinstance(body, str):
        raise Missing(
            f"The body is {str(body)[:200]}, and it must be text.",
            "json.dumps turns an object into text.",
        )
    if payload.get("isBase64Encoded") or not isinstance(payload.get("headers") or {}, dict):
        raise Missing(
            "API Gateway can't read isBase64Encoded or headers of this answer.", "Leave them out."
        )
    if body == _GREETING:
        raise Missing(
            "The body is the bare greeting: it isn't JSON.", "Give the greeting to json.dumps."
        )
    if body != json.dumps(_GREETING):
        raise Missing(
            f"The body is {body[:200]}.", f"The lab's function answers {json.dumps(_GREETING)}."
        )


def _joined(some: set[str]) -> str:
    return " and ".join(sorted(some))
