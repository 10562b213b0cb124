"""What the APIs on a running cloud share: functions, user pools and tokens, each made when first used."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property

from tests.support.running_cloud import Cloud

STAGE = "dev"
PASSWORD = "Correct-Horse-7"
ADMIN_SCOPE = "aws.cognito.signin.user.admin"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
FUNCTIONS = {
    "echo": "import json\ndef handler(event, context):\n"
    "    return {'statusCode': 200, 'body': json.dumps(event)}\n",
    "give": "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n",
    "event": "def handler(event, context):\n    return event\n",
    "raise": "def handler(event, context):\n    raise ValueError(event['text'])\n",
    "crash": "def handler(event, context):\n    raise RuntimeError('a secret detail')\n",
    "slow": "import time\ndef handler(event, context):\n    time.sleep(30)\n",
}
"""Name → source of the functions that integrations call."""


@dataclass
class Situation:
    """An API as a ledger row finds it.

    Attributes:
        api_id: the REST API.
        resources: path → resource id.
        extra: named values that requests and expectations may use as ``{name}``.
    """

    api_id: str
    resources: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)


SITUATIONS: dict[str, Callable[[Gateway], Situation]] = {}
"""Name → what builds it; tests/support/rest_api.py's ``situation`` registers them."""


class Pool:
    """A user pool with two app clients."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._aws = cloud.client("cognito-idp")
        self.id = str(self._aws.create_user_pool(PoolName=name)["UserPool"]["Id"])
        self.arn = f"arn:aws:cognito-idp:{cloud.region}:{cloud.account_id}:userpool/{self.id}"
        self.clients = {name: self._client(name) for name in ("app", "other app")}

    def _client(self, name: str) -> str:
        made = self._aws.create_user_pool_client(
            UserPoolId=self.id,
            ClientName=name,
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )
        return str(made["UserPoolClient"]["ClientId"])

    def user(self, name: str, *groups: str) -> None:
        self._aws.admin_create_user(
            UserPoolId=self.id,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": f"{name}@example.com"},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
        self._aws.admin_set_user_password(
            UserPoolId=self.id, Username=name, Password=PASSWORD, Permanent=True
        )
        known = {g["GroupName"] for g in self._aws.list_groups(UserPoolId=self.id)["Groups"]}
        for group in groups:
            if group not in known:
                self._aws.create_group(UserPoolId=self.id, GroupName=group)
            self._aws.admin_add_user_to_group(UserPoolId=self.id, Username=name, GroupName=group)

    def sign_in(self, name: str, client: str = "app") -> dict[str, str]:
        answer = self._aws.initiate_auth(
            ClientId=self.clients[client],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        names = {"id": "IdToken", "access": "AccessToken", "refresh": "RefreshToken"}
        return {name: answer[field] for name, field in names.items()}

    def sign_in_and_delete_app(self, name: str) -> str:
        """An ID token for an app client that is gone."""
        self.clients["deleted"] = self._client("deleted")
        token = self.sign_in(name, "deleted")["id"]
        client_id = self.clients.pop("deleted")
        self._aws.delete_user_pool_client(UserPoolId=self.id, ClientId=client_id)
        return token


class Gateway:
    """Everything that the rows share on one cloud; each thing is made when first used."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._situations: dict[str, Situation] = {}
        self._allowed: set[tuple[str, str]] = set()

    # -- Lambda -----------------------------------------------------------------

    @cached_property
    def _role_arn(self) -> str:
        iam = self.cloud.client("iam")
        made = iam.create_role(RoleName="ledger", AssumeRolePolicyDocument=json.dumps(TRUST))
        return str(made["Role"]["Arn"])

    @cache  # noqa: B019 - one gateway a session
    def function_arn(self, name: str) -> str:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("index.py", FUNCTIONS[name.partition("-")[0]])
        made = self.cloud.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self._role_arn,
            Handler="index.handler",
            Code={"ZipFile": package.getvalue()},
            Timeout=3,
        )
        return str(made["FunctionArn"])

    def function_uri(self, name: str) -> str:
        return (
            f"arn:aws:apigateway:{self.cloud.region}:lambda:path/2015-03-31/functions/"
            f"{self.function_arn(name)}/invocations"
        )

    def allow(self, name: str, source_arn: str, **settings: str) -> None:
        if (name, source_arn) not in self._allowed:
            self._allowed.add((name, source_arn))
            self.function_arn(name)
            self.cloud.client("lambda").add_permission(
                **{
                    "FunctionName": name,
                    "StatementId": f"statement-{len(self._allowed)}",
                    "Action": "lambda:InvokeFunction",
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": source_arn,
                    **settings,
                }
            )

    # -- Cognito ----------------------------------------------------------------

    @cached_property
    def pool(self) -> Pool:
        pool = Pool(self.cloud, "ledger")
        pool.user("jane")
        return pool

    @cached_property
    def other_pool(self) -> Pool:
        pool = Pool(self.cloud, "other")
        pool.user("jane")
        return pool

    @cached_property
    def third_pool(self) -> Pool:
        pool = Pool(self.cloud, "third")
        pool.user("jane")
        return pool

    @cache  # noqa: B019 - one gateway a session
    def token(self, name: str) -> str:
        """A token by the name that rows give it."""
        return TOKENS[name](self)

    # -- situations -----------------------------------------------------------------

    def situation(self, name: str) -> Situation:
        if name not in self._situations:
            self._situations[name] = SITUATIONS[name](self)
        return self._situations[name]

    def fresh(self, name: str) -> Situation:
        """The situation, made anew: for rows that change it."""
        return SITUATIONS[name](self)

    def forget(self, name: str) -> None:
        """The next row finds the situation made anew."""
        self._situations.pop(name, None)


# -- tokens ---------------------------------------------------------------------------


def _tampered(token: str) -> str:
    """The token with another user's name in its claims and the old signature."""
    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["cognito:username"] = "root"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{forged}.{signature}"


def _unsigned(token: str) -> str:
    return f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{token.split('.')[1]}."


def _other_signature(token: str) -> str:
    """The token with the middle of its signature changed."""
    return f"{token[:-20]}{'A' if token[-20] != 'A' else 'B'}{token[-19:]}"


def _user(*groups: str) -> Callable[[Gateway], str]:
    def make(gateway: Gateway) -> str:
        name = "-".join(("in", *groups))
        gateway.pool.user(name, *groups)
        return gateway.pool.sign_in(name)["id"]

    return make


def _signed_out(gateway: Gateway) -> str:
    gateway.pool.user("leaver")
    tokens = gateway.pool.sign_in("leaver")
    gateway.cloud.client("cognito-idp").global_sign_out(AccessToken=tokens["access"])
    return tokens["id"]


def _disabled(gateway: Gateway) -> str:
    gateway.pool.user("disabled")
    tokens = gateway.pool.sign_in("disabled")
    gateway.cloud.client("cognito-idp").admin_disable_user(
        UserPoolId=gateway.pool.id, Username="disabled"
    )
    return tokens["id"]


TOKENS: dict[str, Callable[[Gateway], str]] = {
    "id": lambda g: g.pool.sign_in("jane")["id"],
    "access": lambda g: g.pool.sign_in("jane")["access"],
    "refresh": lambda g: g.pool.sign_in("jane")["refresh"],
    "id for the other app": lambda g: g.pool.sign_in("jane", "other app")["id"],
    "id of the other pool": lambda g: g.other_pool.sign_in("jane")["id"],
    "access of the other pool": lambda g: g.other_pool.sign_in("jane")["access"],
    "id of a third pool": lambda g: g.third_pool.sign_in("jane")["id"],
    "id with changed claims": lambda g: _tampered(g.token("id")),
    "id with a changed signature": lambda g: _other_signature(g.token("id")),
    "id without a signature": lambda g: _unsigned(g.token("id")),
    "garbage": lambda _: "not-a-token",
    "id of a user in no group": _user(),
    "id of a user in one group": _user("team_manager"),
    "id of a user in two groups": _user("group-a", "group-b"),
    "id of a user who signed out everywhere": _signed_out,
    "id of a disabled user": _disabled,
    "id for an app that was deleted": lambda g: g.pool.sign_in_and_delete_app("jane"),
}
