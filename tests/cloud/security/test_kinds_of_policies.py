"""Boundaries, session policies, groups, buckets' and roles' policies: a call passes when all that count allow it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.support.attacker import Attacker

BUCKET = "kinds-of-policies"
ACCOUNT = "123456789012"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
NOTHING = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}


def document(*statements: Mapping[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": statements})


class People:
    """A user with policies and a role, and a bucket that they would read from."""

    def __init__(self, cloud: Attacker) -> None:
        self.cloud = cloud
        self.iam, self.s3 = cloud.client("iam"), cloud.client("s3")
        self.key = cloud.user("kim")
        self.arn = f"arn:aws:iam::{ACCOUNT}:user/kim"
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.delete_public_access_block(Bucket=BUCKET)
        for key in ("kim/note", "ben/note"):
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")

    def reads(self, key: Credentials | None = None, name: str = "kim/note") -> bool:
        answer = self.cloud.signed("s3", "GET", f"/{BUCKET}/{name}", key=key or self.key)
        assert answer.status == 200 or (answer.status, "AccessDenied" in answer.text) == (403, True)
        return answer.status == 200

    def gives(self, *statements: Mapping[str, Any], version: str = "2012-10-17") -> None:
        self.iam.put_user_policy(
            UserName="kim",
            PolicyName="given",
            PolicyDocument=document(*statements, version=version),
        )

    def guards(self, *statements: Mapping[str, Any]) -> None:
        everything = {"Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
        listed = [{**everything, **statement} for statement in statements]
        self.s3.put_bucket_policy(Bucket=BUCKET, Policy=document(*listed))

    def session(self, trusted: Any, *statements: Mapping[str, Any]) -> Credentials:
        """A session of the role ``reader``, which may read, that kim begins."""
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        arn = self.iam.create_role(RoleName="reader", AssumeRolePolicyDocument=document(trust))[
            "Role"
        ]["Arn"]
        self.iam.put_role_policy(
            RoleName="reader", PolicyName="given", PolicyDocument=document(READ)
        )
        more = {"Policy": document(*statements)} if statements else {}
        made = self.cloud.client("sts", self.key).assume_role(
            RoleArn=arn, RoleSessionName="session", **more
        )["Credentials"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    def reset(self) -> None:
        for forget in (
            lambda: self.s3.delete_bucket_policy(Bucket=BUCKET),
            lambda: self.iam.delete_user_policy(UserName="kim", PolicyName="given"),
            lambda: self.iam.delete_user_permissions_boundary(UserName="kim"),
            lambda: self.iam.delete_role_policy(RoleName="reader", PolicyName="given"),
            lambda: self.iam.delete_role(RoleName="reader"),
        ):
            with contextlib.suppress(self.iam.exceptions.NoSuchEntityException):
                forget()

    def leave(self) -> None:
        for key in ("kim/note", "ben/note"):
            self.s3.delete_object(Bucket=BUCKET, Key=key)
        self.s3.delete_bucket(Bucket=BUCKET)
        self.iam.delete_access_key(UserName="kim", AccessKeyId=self.key.access_key)
        self.iam.delete_user(UserName="kim")


@pytest.fixture(scope="module")
def everybody(cloud: Attacker) -> Iterator[People]:
    people = People(cloud)
    yield people
    people.leave()


@pytest.fixture
def people(everybody: People) -> Iterator[People]:
    yield everybody
    everybody.reset()


def test_without_a_policy_nobody_reads(people: People) -> None:
    assert not people.reads()
    people.gives(READ)
    assert people.reads()
    people.gives(READ, {**READ, "Effect": "Deny"})
    assert not people.reads()


def test_a_folder_of_ones_own(people: People) -> None:
    mine = {**READ, "Resource": f"arn:aws:s3:::{BUCKET}/${{aws:username}}/*"}
    people.gives(mine)
    assert people.reads()
    assert not people.reads(name="ben/note")
    with pytest.raises(ClientError, match="version 2012-10-17 or greater"):
        people.gives(mine, version="2008-10-17")


def test_a_groups_policy(people: People) -> None:
    people.iam.create_group(GroupName="readers")
    people.iam.put_group_policy(
        GroupName="readers", PolicyName="given", PolicyDocument=document(READ)
    )
    assert not people.reads()
    people.iam.add_user_to_group(GroupName="readers", UserName="kim")
    assert people.reads()
    people.iam.remove_user_from_group(GroupName="readers", UserName="kim")
    people.iam.delete_group_policy(GroupName="readers", PolicyName="given")
    people.iam.delete_group(GroupName="readers")


@pytest.mark.parametrize(
    ("boundary", "reads"), [(READ, True), (NOTHING, False), ({**READ, "Effect": "Deny"}, False)]
)
def test_a_permissions_boundary(people: People, boundary: dict[str, Any], reads: bool) -> None:
    arn = people.iam.create_policy(PolicyName="most", PolicyDocument=document(boundary))["Policy"][
        "Arn"
    ]
    people.iam.put_user_permissions_boundary(UserName="kim", PermissionsBoundary=arn)
    assert not people.reads()
    people.gives(READ)
    assert people.reads() == reads
    # What a bucket's policy gives to the user itself, a boundary doesn't narrow unless it denies.
    people.guards({"Effect": "Allow", "Principal": {"AWS": people.arn}})
    assert people.reads() == (boundary["Effect"] == "Allow")
    people.guards({"Effect": "Deny", "NotPrincipal": {"AWS": [ACCOUNT, people.arn]}})
    assert not people.reads()  # who has a boundary is never left out
    people.iam.delete_user_permissions_boundary(UserName="kim")
    people.iam.delete_policy(PolicyArn=arn)


@pytest.mark.parametrize(
    ("statement", "reads"),
    [
        ({"Principal": {"AWS": "{kim}"}}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ACCOUNT}}, False),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ben"}}, False),
        ({"Principal": {"Service": "lambda.amazonaws.com"}}, False),
        ({"Principal": "*", "Resource": "arn:aws:s3:::{bucket}/${{aws:username}}/*"}, True),
        ({"Principal": "*", "Resource": "arn:aws:s3:::{bucket}/${{aws:userid}}/*"}, False),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:username": "kim"}}}, True),
        ({"Principal": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "{kim}"}}}, False),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "{kim}"}}}, True),
    ],
)
def test_a_buckets_policy(people: People, statement: dict[str, Any], reads: bool) -> None:
    text = json.dumps(statement).replace("{kim}", people.arn).replace("{bucket}", BUCKET)
    named = json.loads(text.replace("{{", "{").replace("}}", "}") if "${{" in text else text)
    people.guards({"Effect": "Allow", **named})
    assert people.reads() == reads
    people.gives(READ)
    people.guards({"Effect": "Deny", **named})
    denied = reads or named["Principal"] == {"AWS": ACCOUNT}
    assert people.reads() != denied


def test_whom_a_buckets_deny_leaves_out(people: People) -> None:
    people.gives(READ)
    people.guards({"Effect": "Deny", "NotPrincipal": {"AWS": [ACCOUNT, people.arn]}})
    assert people.reads()
    people.guards({"Effect": "Deny", "NotPrincipal": {"AWS": people.arn}})
    assert not people.reads()


def test_what_isnt_a_bucket_policy_isnt_saved(people: People) -> None:
    people.guards({"Effect": "Allow", "Principal": {"AWS": people.arn}})
    misspelt = {"StringNotEqual": {"aws:username": "kim"}}
    for broken in (
        "{",
        document({**READ, "Principal": {"AWS": "kim"}}),
        document(READ),
        document({**READ, "Effect": "Deny", "Principal": "*", "Condition": misspelt}),
    ):
        with pytest.raises(ClientError, match="MalformedPolicy"):
            people.s3.put_bucket_policy(Bucket=BUCKET, Policy=broken)
        assert people.reads()


@pytest.mark.parametrize(
    ("trusted", "may_begin"),
    [
        ({"AWS": ACCOUNT}, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/kim"}, True),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/one"}, False),
        ({"Service": "lambda.amazonaws.com"}, False),
    ],
)
def test_a_roles_trust_policy(people: People, trusted: Any, may_begin: bool) -> None:
    people.gives({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    if may_begin:
        assert people.reads(people.session(trusted))
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            people.session(trusted)


@pytest.mark.parametrize(
    ("passed", "reads"),
    [(READ, True), (NOTHING, False), ({**READ, "Resource": "arn:aws:s3:::other/*"}, False)],
)
def test_a_session_policy(people: People, passed: dict[str, Any], reads: bool) -> None:
    people.gives({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    session = people.session({"AWS": ACCOUNT}, passed)
    assert people.reads(session) == reads
    role = f"arn:aws:iam::{ACCOUNT}:role/reader"
    people.guards({"Effect": "Allow", "Principal": {"AWS": role}})
    assert people.reads(session) == reads
    itself = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/session"
    people.guards({"Effect": "Allow", "Principal": {"AWS": itself}})
    assert people.reads(session)


BROKEN = [
    "{}",
    document({**READ, "Condition": {"StringIs": {"a": "b"}}}),
    document({**READ, "Condition": {"IpAddress": {"aws:SourceIp": "everywhere"}}}),
    document({**READ, "Principal": "*"}),
    document({**READ, "NotResource": "*"}),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_isnt_a_policy_isnt_saved(people: People, broken: str) -> None:
    saves: list[Callable[[], Any]] = [
        lambda: people.iam.put_user_policy(
            UserName="kim", PolicyName="given", PolicyDocument=broken
        ),
        lambda: people.iam.create_policy(PolicyName="broken", PolicyDocument=broken),
        lambda: people.session({"AWS": ACCOUNT}, *json.loads(broken).get("Statement", [{}])),
    ]
    people.gives({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    for save in saves:
        with pytest.raises(ClientError, match="MalformedPolicyDocument"):
            save()


def test_the_simulator_says_the_same(people: People) -> None:
    people.gives(READ)
    asked = ["s3:GetObject", "s3:PutObject"]
    answer = people.iam.simulate_principal_policy(PolicySourceArn=people.arn, ActionNames=asked)
    decisions = {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}
    assert decisions == {"s3:GetObject": "allowed", "s3:PutObject": "implicitDeny"}
