"""Runs the rows about authorization and limits, against a cloud whose clock stands where the rows put it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import AuthBase
from urllib3 import HTTPHeaderDict

from labkit import sigv4
from labkit.local.ledger import Row
from labkit.sigv4.steps import ALGORITHM
from tests.fidelity import (
    authorization_situations,
    integration_situations,
    limits_situations,
    rest_jwt_situations,
)
from tests.fidelity.backend import Backend
from tests.fidelity.runner import REQUEST_KEYS, Runner, body_of
from tests.support.gateway import STAGE, Gateway, Situation
from tests.support.loopback_issuer import LoopbackIssuer, loopback_issuer
from tests.support.patience import PATIENCE
from tests.support.running_cloud import Cloud

__all__ = ["STEERED_KEYS", "SteeredGateway", "SteeredRunner"]
SITUATIONS = (
    authorization_situations,
    integration_situations,
    limits_situations,
    rest_jwt_situations,
)
"""Imported for what they register."""

STEERED_KEYS = REQUEST_KEYS | {"again", "before", "host", "query", "sign", "statuses", "times"}
FOREIGN_ACCOUNT = "210987654321"
INVOKE = "execute-api:Invoke"
POLICIES: dict[str, dict[str, Any] | None] = {
    "allowed": {"Effect": "Allow", "Action": INVOKE, "Resource": "*"},
    "functions": {"Effect": "Allow", "Action": [INVOKE, "lambda:InvokeFunction"], "Resource": "*"},
    "silent": None,
    "denied": {"Effect": "Deny", "Action": INVOKE, "Resource": "*"},
    "denied-admin": {
        "Effect": "Deny",
        "Action": INVOKE,
        "Resource": "arn:aws:execute-api:*:*:*/dev/GET/signed/admin",
    },
}
"""What the policies of a caller say, by the caller's name."""


@dataclass(frozen=True)
class Key:
    """Credentials, as labkit.sigv4 takes them."""

    access_key: str
    secret_key: str
    token: str | None = None
    arn: str = ""
    user_id: str = ""


LARGE: dict[str, Callable[[Gateway], str]] = {
    "long": lambda _: "x" * 1_600,
    "long_policy": lambda _: policy(
        {"Effect": "Allow", "Principal": "*", "Action": INVOKE, "Resource": ["x" * 100] * 90}
    ),
    "id_token": lambda gateway: gateway.token("id"),
    "access_token": lambda gateway: gateway.token("access"),
}
"""Words that only some rows need."""


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class SteeredGateway(Gateway):
    """The things on a steered cloud, the callers who sign, and the steering itself."""

    def steer(self, **command: Any) -> dict[str, Any]:
        answer = self.cloud.http.post(
            f"{self.cloud.endpoint}/_labkit/steer",
            json=command,
            headers={"x-labkit-token": self.cloud.admin_token},
            timeout=PATIENCE,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.steer()["now"], dt.UTC)

    def invocations(self) -> Counter[str]:
        return Counter(self.steer()["invocations"])

    @cached_property
    def backend(self) -> Backend:
        """An HTTP server that integrations call."""
        return Backend()

    @cached_property
    def _servers(self) -> ExitStack:
        return ExitStack()

    @cache  # noqa: B019 - one gateway a session
    def issuer(self, name: str) -> LoopbackIssuer:
        """An OpenID provider with a key for RS256 and one for ES256."""
        keys = (name, "RS256"), (name, "ES256")
        return self._servers.enter_context(loopback_issuer(*keys))

    def close(self) -> None:
        self._servers.close()
        if "backend" in self.__dict__:
            self.backend.close()

    # -- callers ------------------------------------------------------------------------

    @cache  # noqa: B019 - one gateway a session
    def caller(self, name: str) -> Key:
        """The credentials of a caller: a user, ``role``, ``foreign …`` from another account."""
        if name == "the owner":
            return Key(self.cloud.access_key_id, self.cloud.secret_access_key)
        if name == "nobody":
            return Key("AKIANOBODYAAAEXAMPLE", "a secret that nobody has")
        if name == "inactive":
            return self._inactive_user()
        if name == "identity pool":
            return self._identity_pool_caller()
        if name.startswith("role "):
            return self._role(name.removeprefix("role "))
        if name.startswith("foreign "):
            return self._foreign_role(name.removeprefix("foreign "))
        return self._user(name)

    def _user(self, name: str) -> Key:
        iam = self.cloud.client("iam")
        user = iam.create_user(UserName=name)["User"]
        statement = POLICIES.get(name)
        if statement is not None:
            iam.put_user_policy(UserName=name, PolicyName="calls", PolicyDocument=policy(statement))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Key(key["AccessKeyId"], key["SecretAccessKey"], None, user["Arn"], user["UserId"])

    def _inactive_user(self) -> Key:
        key = self._user("inactive")
        self.cloud.client("iam").update_access_key(
            UserName="inactive", AccessKeyId=key.access_key, Status="Inactive"
        )
        return key

    def _role(self, name: str) -> Key:
        iam, role = self.cloud.client("iam"), f"calls-{name.partition(' ')[0]}"
        if role not in [found["RoleName"] for found in iam.list_roles()["Roles"]]:
            trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(trust))
            statement = POLICIES[name.partition(" ")[0]]
            if statement is not None:
                iam.put_role_policy(
                    RoleName=role, PolicyName="calls", PolicyDocument=policy(statement)
                )
        return self._assume(f"arn:aws:iam::{self.cloud.account_id}:role/{role}")

    def _foreign_role(self, name: str) -> Key:
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        role = f"calls-{name}"
        statement = POLICIES[name] or {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}
        self.steer(
            foreign_role={
                "account_id": FOREIGN_ACCOUNT,
                "name": role,
                "trust": policy(trust),
                "policy": policy(statement),
            }
        )
        return self._assume(f"arn:aws:iam::{FOREIGN_ACCOUNT}:role/{role}")

    def _assume(self, role_arn: str) -> Key:
        made = self.cloud.assumer.assume_role(RoleArn=role_arn, RoleSessionName="session")
        user = made["AssumedRoleUser"]
        return _key(made["Credentials"], user["Arn"], user["AssumedRoleId"])

    def _identity_pool_caller(self) -> Key:
        """A signed-in user of the user pool, as the authenticated role of an identity pool."""
        role = self._role("allowed").arn.split("/")[1]
        pools = self.cloud.client("cognito-identity")
        provider = f"cognito-idp.{self.cloud.region}.amazonaws.com/{self.pool.id}"
        pool_id = pools.create_identity_pool(
            IdentityPoolName="ledger",
            AllowUnauthenticatedIdentities=False,
            CognitoIdentityProviders=[
                {"ProviderName": provider, "ClientId": self.pool.clients["app"]}
            ],
        )["IdentityPoolId"]
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": pool_id}},
        }
        accounts = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        self.cloud.client("iam").update_assume_role_policy(
            RoleName=role, PolicyDocument=policy(accounts, trust)
        )
        pools.set_identity_pool_roles(
            IdentityPoolId=pool_id,
            Roles={"authenticated": f"arn:aws:iam::{self.cloud.account_id}:role/{role}"},
        )
        logins = {provider: self.token("id")}
        identity = pools.get_id(IdentityPoolId=pool_id, Logins=logins)["IdentityId"]
        made = pools.get_credentials_for_identity(IdentityId=identity, Logins=logins)["Credentials"]
        arn = f"arn:aws:sts::{self.cloud.account_id}:assumed-role/{role}/CognitoIdentityCredentials"
        return Key(made["AccessKeyId"], made["SecretKey"], made["SessionToken"], arn)


def _key(credentials: Mapping[str, str], arn: str, user_id: str) -> Key:
    return Key(
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
        arn,
        user_id,
    )


# -- rows -----------------------------------------------------------------------------------


class SteeredRunner(Runner):
    gateway: SteeredGateway

    def run(self, row: Row) -> None:
        name = row.setup.removesuffix(", anew")
        fresh = name != row.setup or name == "a fresh api"
        self.gateway.steer(reset=True)  # before anything is made: a plan begins on its first day
        situation = self.gateway.fresh(name) if fresh else self.gateway.situation(name)
        words = self._words(situation, row)
        asked, expect = words.fill(row.request), words.fill(row.expect)
        before = self.gateway.invocations()
        for step in [*asked.get("before", []), *asked.get("after", [])]:
            self._step(situation, step)
        if "operation" in asked:
            self.check_operation(situation, asked, expect)
        else:
            self._check_requests(situation, asked, expect)
        if "invocations" in expect:
            made = self.gateway.invocations() - before
            assert {key: made[key] for key in expect["invocations"]} == expect["invocations"]

    def _check_requests(
        self, situation: Situation, asked: Mapping[str, Any], expect: Mapping[str, Any]
    ) -> None:
        responses = [self.send(situation, asked) for _ in range(asked.get("times", 1))]
        if "statuses" in asked:
            assert [response.status_code for response in responses] == asked["statuses"]
        self.check_answer(responses[-1], expect)

    def _step(self, situation: Situation, step: Mapping[str, Any]) -> None:
        if "run" in step:
            self.gateway.steer(run=step["run"])
        elif "advance" in step:
            self.gateway.steer(advance=step["advance"])
        elif "authorizer_limit" in step:
            self.gateway.steer(authorizer_limit=step["authorizer_limit"])
        elif "end_session" in step:
            self.gateway.steer(end_session=self.gateway.caller(step["end_session"]).access_key)
        elif "operation" in step:
            self.operate(situation, step)
        else:
            for _ in range(step.get("times", 1)):
                response = self.send(situation, step)
                assert response.status_code == step.get("status", 200), response.text

    def _words(self, situation: Situation, row: Row) -> Words:
        cloud = self.gateway.cloud
        found = {
            "nonce": uuid.uuid4().hex,
            "api": situation.api_id,
            "account": cloud.account_id,
            "masked": f"********{cloud.account_id[-4:]}",
            "region": cloud.region,
            "today": self.gateway.now().date().isoformat(),
            **situation.extra,
            **{
                name: make(self.gateway)
                for name, make in LARGE.items()
                if f"{{{name}}}" in str(row)
            },
        }
        signer = row.request.get("sign", {}).get("as")
        if signer:
            key = self.gateway.caller(signer)
            found |= {"caller": key.arn, "caller_id": key.user_id, "access_key": key.access_key}
        return Words(found, self.gateway.now())

    # -- sending ----------------------------------------------------------------------------

    def send(self, situation: Situation, asked: Mapping[str, Any]) -> requests.Response:
        path = f"/{asked.get('stage', STAGE)}{asked.get('path', '/')}".removeprefix("//")
        headers, query = dict(asked.get("headers", {})), str(asked.get("query", ""))
        host = asked.get("host", _host(self.gateway.cloud, situation.api_id))
        if "sign" in asked:
            added, query = self._signature(asked, host, path, query)
            headers |= added
        prepared = {
            **asked,
            "path": f"{asked.get('path', '/')}{'?' if query else ''}{query}",
            "headers": {"Host": host, **headers},
        }
        if "again" not in asked:
            return super().send(situation, prepared)
        self.gateway.cloud.http.auth = _AddedHeaders(asked["again"])
        try:
            return super().send(situation, prepared)
        finally:
            self.gateway.cloud.http.auth = None

    def _signature(
        self, asked: Mapping[str, Any], host: str, path: str, query: str
    ) -> tuple[dict[str, str], str]:
        """The headers and the query string of a signed request, right or wrong as ``sign`` asks."""
        how = asked["sign"]
        key = self.gateway.caller(how["as"])
        if "session" in how:
            other = None if how["session"] == "none" else self.gateway.caller(how["session"]).token
            key = replace(key, token=other)
        moment = self.gateway.now() - dt.timedelta(seconds=how.get("age", 0))
        stamp = moment.strftime("%Y%m%dT%H%M%SZ")
        scope = sigv4.CredentialScope(
            how.get("scope_date", stamp[:8]),
            how.get("region", self.gateway.cloud.region),
            how.get("service", "execute-api"),
            how.get("terminator", "aws4_request"),
        )
        body = body_of({**asked, **how.get("signed", {})}) or b""
        signing = _Signing(
            method=how.get("signed", {}).get("method", asked.get("method", "GET")),
            path=how.get("signed", {}).get("path", path),
            host=host,
            key=replace(key, secret_key=how.get("secret", key.secret_key)),
            stamp=stamp,
            scope=scope,
            payload_hash=how.get("payload", hashlib.sha256(body).hexdigest()),
            algorithm=how.get("algorithm", ALGORITHM),
        )
        if how.get("presigned"):
            return {}, signing.in_query(query, str(how.get("expires", 300)))
        signed_query = how.get("signed", {}).get("query", query)
        names = how.get("headers", "host;x-amz-date").split(";")
        return signing.in_headers(signed_query, names), query


class _AddedHeaders(AuthBase):
    """Sends some headers once more, in lines of their own."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        together = HTTPHeaderDict(request.headers)
        for name, value in self._headers.items():
            together.add(name, value)
        request.headers = together  # type: ignore[assignment]
        return request


@dataclass(frozen=True)
class _Signing:
    method: str
    path: str
    host: str
    key: Key
    stamp: str
    scope: sigv4.CredentialScope
    payload_hash: str
    algorithm: str

    def in_headers(self, query: str, signed: list[str]) -> dict[str, str]:
        headers = {"X-Amz-Date": self.stamp}
        if self.key.token is not None:
            headers["X-Amz-Security-Token"] = self.key.token
            signed = sorted([*signed, "x-amz-security-token"])
        proof = self._proof(query, {**headers, "Host": self.host}, signed)
        return {
            **headers,
            "Authorization": f"{self.algorithm} Credential={self.key.access_key}/{self.scope}, "
            f"SignedHeaders={';'.join(signed)}, Signature={proof}",
        }

    def in_query(self, query: str, expires: str) -> str:
        parameters = {
            "X-Amz-Algorithm": self.algorithm,
            "X-Amz-Credential": f"{self.key.access_key}/{self.scope}",
            "X-Amz-Date": self.stamp,
            "X-Amz-Expires": expires,
            "X-Amz-SignedHeaders": "host",
        }
        if self.key.token is not None:
            parameters["X-Amz-Security-Token"] = self.key.token
        added = "&".join(f"{k}={quote(v, safe='-_.~')}" for k, v in parameters.items())
        whole = f"{query}&{added}" if query else added
        return f"{whole}&X-Amz-Signature={self._proof(whole, {'Host': self.host}, ['host'])}"

    def _proof(self, query: str, headers: Mapping[str, str], signed: list[str]) -> str:
        lines = sigv4.canonical_request(
            self.method, self.path, query, headers, signed, self.payload_hash
        ).split("\n")
        # A row says which spelling of the query is signed: it is signed as it stands.
        pairs = sorted(pair.partition("=")[::2] for pair in query.split("&") if query)
        lines[2] = "&".join(f"{name}={value}" for name, value in pairs)
        canonical = "\n".join(lines)
        to_sign = sigv4.string_to_sign(self.stamp, self.scope, canonical)
        return sigv4.signature(self.key.secret_key, self.scope, to_sign)


def _host(cloud: Cloud, api_id: str) -> str:
    return f"{api_id}.execute-api.{cloud.region}.amazonaws.com"


@dataclass(frozen=True)
class Words:
    """What ``{name}`` in a row stands for; ``{clock-300}`` is the gateway's time, 300 s ago."""

    values: Mapping[str, str]
    now: dt.datetime

    def fill(self, data: Any) -> Any:
        if isinstance(data, dict):
            return {self.fill(key): self.fill(value) for key, value in data.items()}
        if isinstance(data, list):
            return [self.fill(value) for value in data]
        if not isinstance(data, str):
            return data
        for name, value in self.values.items():
            data = data.replace(f"{{{name}}}", value)
        return re.sub(r"\{clock([+-]\d+)?\}", self._stamp, data)

    def _stamp(self, match: re.Match[str]) -> str:
        moment = self.now + dt.timedelta(seconds=int(match[1] or 0))
        return moment.strftime("%Y%m%dT%H%M%SZ")
