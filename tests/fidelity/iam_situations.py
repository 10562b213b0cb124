"""What the ledger of IAM, STS and Lambda begins with: users, roles, policies and functions, new ones for each row."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from tests.fidelity.operation_rows import Situation

ACCOUNT = "123456789012"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
LAMBDA = {"Service": "lambda.amazonaws.com"}
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


class Account:
    """Makes what rows need, in one account.

    Args:
        keys: boto3's keyword arguments for its root user and its cloud.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys = dict(keys)
        self._numbers = itertools.count(1)
        self.iam = self.client("iam")

    def client(self, service: str) -> Any:
        return boto3.client(service, **self.keys)  # type: ignore[call-overload]

    def name(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}"

    def user(self) -> str:
        name = self.name("user")
        self.iam.create_user(UserName=name)
        return name

    def role(self, principal: Any = LAMBDA) -> str:
        name = self.name("role")
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(principal))
        return name

    def policy(self) -> str:
        made = self.iam.create_policy(PolicyName=self.name("policy"), PolicyDocument=policy(READ))
        return str(made["Policy"]["Arn"])

    def situation(self, **more: Any) -> Situation:
        """Names that nothing has yet, and what is there."""
        return {"everybody": self.keys, "account": ACCOUNT, "new": self.name("new"), **more}


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
    return account.situation(role=name, role_arn=f"arn:aws:iam::{ACCOUNT}:role/{name}")


@setup("a policy")
def a_policy(account: Account) -> Situation:
    return account.situation(policy=account.policy())


@setup("a bucket")
def a_bucket(account: Account) -> Situation:
    name = account.name("bucket")
    account.client("s3").create_bucket(Bucket=name)
    return account.situation(bucket=name)
