"""What the ledger of IAM, STS and Lambda begins with: users, roles, policies and functions, new ones for each row."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from tests.fidelity.operation_rows import Situation

ACCOUNT = "123456789012"
PACKAGE = b"PK\x05\x06" + bytes(18)
"""An empty ZIP archive."""
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
LAMBDA = {"Service": "lambda.amazonaws.com"}
_NUMBERS = itertools.count(1)
SETUPS: dict[str, Callable[[Account], Situation]] = {}


def setup(name: str) -> Callable[[Callable[[Account], Situation]], Callable[[Account], Situation]]:
    def keep(make: Callable[[Account], Situation]) -> Callable[[Account], Situation]:
        SETUPS[name] = make
        return make

    return keep


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: Any) -> str:
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def arn_of(role: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


LONG = policy({**READ, "Resource": ["arn:aws:s3:::" + "x" * 100] * 90})
LONG_TRUST = trust({"AWS": [ACCOUNT] * 200})


class Account:
    """Makes what rows need, in one account.

    Args:
        keys: boto3's keyword arguments for its root user and its cloud.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys = dict(keys)
        self.iam = self.client("iam")

    def client(self, service: str) -> Any:
        return boto3.client(service, **self.keys)  # type: ignore[call-overload]

    def name(self, kind: str) -> str:
        return f"{kind}-{next(_NUMBERS)}"

    def user(self) -> str:
        name = self.name("user")
        self.iam.create_user(UserName=name)
        return name

    def role(self, principal: Any = LAMBDA) -> str:
        name = self.name("role")
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(principal))
        return name

    def function(self) -> str:
        name = self.name("function")
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="m.h",
            Role=arn_of(self.role()),
            Code={"ZipFile": PACKAGE},
        )
        return name

    def keys_of(self, user: str) -> dict[str, str]:
        """boto3's keyword arguments for a user."""
        made = self.iam.create_access_key(UserName=user)["AccessKey"]
        keys = {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
        }
        return {**self.keys, **keys}

    def policy(self) -> str:
        made = self.iam.create_policy(PolicyName=self.name("policy"), PolicyDocument=policy(READ))
        return str(made["Policy"]["Arn"])

    def situation(self, **more: Any) -> Situation:
        """A name that nothing has yet, policies that are too long, and what is there."""
        texts = {
            "account": ACCOUNT,
            "new": self.name("new"),
            "long": LONG,
            "long_trust": LONG_TRUST,
        }
        return {"everybody": self.keys, **texts, **more}


@setup("an account")
def an_account(account: Account) -> Situation:
    return account.situation()


@setup("a user")
def a_user(account: Account) -> Situation:
    return account.situation(user=account.user())


@setup("a group")
def a_group(account: Account) -> Situation:
    name = account.name("group")
    account.iam.create_group(GroupName=name)
    return account.situation(group=name)


@setup("a role")
def a_role(account: Account) -> Situation:
    name = account.role()
    return account.situation(role=name, role_arn=arn_of(name))


@setup("a policy")
def a_policy(account: Account) -> Situation:
    arn = account.policy()
    return account.situation(policy=arn, policy_name=arn.rpartition("/")[2])


@setup("a user with a policy")
def a_user_with_a_policy(account: Account) -> Situation:
    name = account.user()
    account.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(READ))
    return account.situation(user=name)


@setup("a bucket")
def a_bucket(account: Account) -> Situation:
    name = account.name("bucket")
    account.client("s3").create_bucket(Bucket=name)
    return account.situation(bucket=name)


@setup("a user with two keys")
def a_user_with_two_keys(account: Account) -> Situation:
    name = account.user()
    for status in ("Active", "Inactive"):
        key = account.iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        account.iam.update_access_key(UserName=name, AccessKeyId=key, Status=status)
    return account.situation(user=name)


@setup("a policy with five versions")
def a_policy_with_five_versions(account: Account) -> Situation:
    arn = account.policy()
    for _ in range(4):
        account.iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(READ))
    return account.situation(policy=arn)


@setup("a role with ten policies")
def a_role_with_ten_policies(account: Account) -> Situation:
    name = account.role()
    for _ in range(10):
        account.iam.attach_role_policy(RoleName=name, PolicyArn=account.policy())
    return account.situation(role=name, policy=account.policy())


# -- roles that a service gets -----------------------------------------------------------------


def with_a_function(account: Account, role: str, **more: Any) -> Situation:
    """A function, and a role that somebody might give to one."""
    return account.situation(
        function=account.function(), role_arn=arn_of(role), package=PACKAGE, **more
    )


def by_somebody(account: Account, *statements: Mapping[str, Any]) -> Situation:
    """A user who may do everything with Lambda, and what is said else."""
    user = account.user()
    may = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    account.iam.put_user_policy(
        UserName=user, PolicyName="may", PolicyDocument=policy(may, *statements)
    )
    return with_a_function(
        account,
        account.role(),
        session=account.keys_of(user),
        caller=f"arn:aws:iam::{ACCOUNT}:user/{user}",
    )


def passing(service: str) -> dict[str, Any]:
    """A statement that lets somebody pass every role to a service."""
    condition = {"StringEquals": {"iam:PassedToService": service}}
    return {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": "*",
        "Condition": condition,
    }


OPEN = policy(
    {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
    }
)
CLOSED = OPEN.replace("Allow", "Deny")
FILE = json.dumps({"openapi": "3.0.1", "info": {"title": "b", "version": "1"}, "paths": {}})


@setup("somebody who may not change resource policies")
def somebody_who_may_not_change_policies(account: Account) -> Situation:
    user = account.user()
    may = {
        "Effect": "Allow",
        "Action": ["apigateway:PATCH", "apigateway:POST", "apigateway:PUT"],
        "Resource": "*",
    }
    account.iam.put_user_policy(UserName=user, PolicyName="may", PolicyDocument=policy(may))
    made = account.client("apigateway").create_rest_api(name="a", policy=CLOSED)
    return account.situation(
        api=made["id"],
        open=OPEN,
        file=FILE.encode(),
        session=account.keys_of(user),
        caller=f"arn:aws:iam::{ACCOUNT}:user/{user}",
    )


@setup("somebody who clones a role")
def somebody_who_clones_a_role(account: Account) -> Situation:
    user, role = account.user(), arn_of(account.role())
    may = {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"}
    account.iam.put_user_policy(UserName=user, PolicyName="may", PolicyDocument=policy(may))
    apigateway = account.client("apigateway")
    made = apigateway.create_rest_api(name="a")
    method = {
        "restApiId": made["id"],
        "resourceId": made["rootResourceId"],
        "httpMethod": "GET",
    }
    apigateway.put_method(**method, authorizationType="NONE")
    apigateway.put_integration(
        **method,
        type="AWS",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:us-east-1:sns:action/Publish",
        credentials=role,
    )
    return account.situation(
        api=made["id"],
        role_arn=role,
        session=account.keys_of(user),
        caller=f"arn:aws:iam::{ACCOUNT}:user/{user}",
    )


@setup("somebody who may not pass a role")
def somebody_who_may_not_pass(account: Account) -> Situation:
    return by_somebody(account)


@setup("somebody who is denied to pass a role")
def somebody_who_is_denied(account: Account) -> Situation:
    denied = {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}
    return by_somebody(account, passing("lambda.amazonaws.com"), denied)


@setup("somebody who may pass a role to Lambda")
def somebody_who_may_pass(account: Account) -> Situation:
    return by_somebody(account, passing("lambda.amazonaws.com"))


@setup("somebody who may pass a role to EC2")
def somebody_who_may_pass_to_ec2(account: Account) -> Situation:
    return by_somebody(account, passing("ec2.amazonaws.com"))


@setup("a role that trusts EC2")
def a_role_that_trusts_ec2(account: Account) -> Situation:
    return with_a_function(account, account.role({"Service": "ec2.amazonaws.com"}))


# -- sessions ------------------------------------------------------------------------------------


def session_of(credentials: Mapping[str, str], account: Account) -> dict[str, str]:
    """boto3's keyword arguments for temporary credentials."""
    keys = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    return {**account.keys, **keys}


def an_assumer(account: Account, hours: int = 1) -> tuple[dict[str, str], str]:
    """The keys of a user who may do everything with STS, and the ARN of a role that trusts the account."""
    user, role = account.user(), account.role({"AWS": ACCOUNT})
    account.iam.update_role(RoleName=role, MaxSessionDuration=hours * 3600)
    may = policy({"Effect": "Allow", "Action": ["sts:*", "iam:*"], "Resource": "*"})
    account.iam.put_user_policy(UserName=user, PolicyName="may", PolicyDocument=may)
    account.iam.put_role_policy(RoleName=role, PolicyName="may", PolicyDocument=may)
    return account.keys_of(user), arn_of(role)


@setup("a role for its account")
def a_role_for_its_account(account: Account) -> Situation:
    return account.situation(role_arn=arn_of(account.role({"AWS": ACCOUNT})))


@setup("a user who may assume a role")
def a_user_who_may_assume(account: Account) -> Situation:
    keys, role_arn = an_assumer(account)
    return account.situation(session=keys, role_arn=role_arn)


@setup("a user who may assume a role for two hours")
def a_user_who_may_assume_for_two_hours(account: Account) -> Situation:
    keys, role_arn = an_assumer(account, hours=2)
    return account.situation(session=keys, role_arn=role_arn)


@setup("a role that may assume a role for two hours")
def a_role_that_may_assume(account: Account) -> Situation:
    keys, role_arn = an_assumer(account, hours=2)
    sts: Any = boto3.client("sts", **keys)  # type: ignore[call-overload]
    made = sts.assume_role(RoleArn=role_arn, RoleSessionName="first")["Credentials"]
    return account.situation(session=session_of(made, account), role_arn=role_arn)


@setup("a session of a user")
def a_session_of_a_user(account: Account) -> Situation:
    keys, role_arn = an_assumer(account)
    sts: Any = boto3.client("sts", **keys)  # type: ignore[call-overload]
    made = sts.get_session_token()["Credentials"]
    return account.situation(session=session_of(made, account), role_arn=role_arn)


@setup("a session of a federated user")
def a_session_of_a_federated_user(account: Account) -> Situation:
    keys, _role_arn = an_assumer(account)
    everything = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    sts: Any = boto3.client("sts", **keys)  # type: ignore[call-overload]
    made = sts.get_federation_token(Name="kim", Policy=everything)["Credentials"]
    return account.situation(session=session_of(made, account))


# -- functions -----------------------------------------------------------------------------------

GATEWAY = {
    "StatementId": "gateway",
    "Action": "lambda:InvokeFunction",
    "Principal": "apigateway.amazonaws.com",
}


@setup("a function")
def a_function(account: Account) -> Situation:
    return with_a_function(account, account.role())


@setup("a function that API Gateway may invoke")
def a_function_that_may_be_invoked(account: Account) -> Situation:
    here = a_function(account)
    account.client("lambda").add_permission(FunctionName=here["function"], **GATEWAY)
    return here


@setup("a function whose alias API Gateway may invoke")
def a_function_whose_alias_may_be_invoked(account: Account) -> Situation:
    here, lambda_ = a_function(account), account.client("lambda")
    name = {"FunctionName": here["function"]}
    version = lambda_.publish_version(**name)["Version"]
    lambda_.create_alias(**name, Name="live", FunctionVersion=version)
    lambda_.add_permission(**name, **GATEWAY, Qualifier="live")
    return here


# -- web ACLs ------------------------------------------------------------------------------------


@setup("a web ACL and an API")
def a_web_acl(account: Account) -> Situation:
    gateway, name = account.client("apigateway"), account.name("api")
    api = gateway.create_rest_api(name=name)["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    method = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(**method, type="MOCK")
    gateway.create_deployment(restApiId=api, stageName="dev")
    made = account.client("wafv2").create_web_acl(
        Name=name,
        Scope="REGIONAL",
        DefaultAction={"Block": {}},
        VisibilityConfig={
            "SampledRequestsEnabled": False,
            "CloudWatchMetricsEnabled": False,
            "MetricName": "x",
        },
    )
    return account.situation(api=api, stage="dev", web_acl=made["Summary"]["ARN"])


@setup("somebody who may not set web ACLs")
def somebody_who_may_not_set_web_acls(account: Account) -> Situation:
    here, user = a_web_acl(account), account.user()
    may = {"Effect": "Allow", "Action": ["wafv2:*", "apigateway:PATCH"], "Resource": "*"}
    account.iam.put_user_policy(UserName=user, PolicyName="may", PolicyDocument=policy(may))
    caller = f"arn:aws:iam::{ACCOUNT}:user/{user}"
    return here | {"session": account.keys_of(user), "caller": caller}


@setup("a namesake of somebody who was trusted")
def a_namesake(account: Account) -> Situation:
    user, iam = account.user(), account.iam
    made = iam.get_user(UserName=user)["User"]
    role = account.role({"AWS": made["Arn"]})
    iam.delete_user(UserName=user)
    iam.create_user(UserName=user)
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    iam.put_user_policy(UserName=user, PolicyName="may", PolicyDocument=policy(may))
    return account.situation(role_arn=arn_of(role), session=account.keys_of(user))
