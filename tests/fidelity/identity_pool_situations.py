"""What the ledger of identity pools begins with: a user pool, identity pools, roles, and tokens good and bad."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
from collections.abc import Callable
from typing import Any

import boto3
import jwt

from labkit.lab.session import Lab

IDENTITY = "cognito-identity.amazonaws.com"
PASSWORD = "aA1!" + secrets.token_urlsafe(16)

Situation = dict[str, Any]
SETUPS: dict[str, Callable[[Pools], Situation]] = {}


def setup(name: str) -> Callable[[Callable[[Pools], Situation]], Callable[[Pools], Situation]]:
    def keep(make: Callable[[Pools], Situation]) -> Callable[[Pools], Situation]:
        SETUPS[name] = make
        return make

    return keep


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(
    pool_id: str, kind: str = "authenticated", operator: str = "ForAnyValue:StringLike"
) -> dict[str, Any]:
    """The statement of a trust policy for an identity pool."""
    return {
        "Effect": "Allow",
        "Principal": {"Federated": IDENTITY},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{IDENTITY}:aud": pool_id},
            operator: {f"{IDENTITY}:amr": kind},
        },
    }


class Pools:
    """One user pool with two clients and two users, and identity pools by the dozen.

    Args:
        lab: a running local cloud; boto3 uses it.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._numbers = itertools.count(1)
        self.users = boto3.client("cognito-idp")
        self.pools = boto3.client("cognito-identity")
        self.iam = boto3.client("iam")
        team = {"Name": "team", "AttributeDataType": "String", "Mutable": True}
        made = self.users.create_user_pool(PoolName="ledger", Schema=[team])
        self.user_pool = made["UserPool"]["Id"]
        self.app, self.other_app = self._client(), self._client()
        self.provider = f"cognito-idp.us-east-1.amazonaws.com/{self.user_pool}"
        for name in ("ana", "ben"):
            self.user(name)
        table = boto3.client("dynamodb")
        table.create_table(
            TableName="notes",
            KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "owner", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        boto3.client("s3").create_bucket(Bucket="notes")

    def _client(self) -> str:
        made = self.users.create_user_pool_client(
            UserPoolId=self.user_pool,
            ClientName="app",
            ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
        )
        return str(made["UserPoolClient"]["ClientId"])

    def user(self, name: str) -> None:
        where = {"UserPoolId": self.user_pool, "Username": name}
        self.users.admin_create_user(**where, MessageAction="SUPPRESS")
        self.users.admin_set_user_password(**where, Password=PASSWORD, Permanent=True)

    def sign_in(self, name: str, client: str | None = None) -> dict[str, str]:
        answer = self.users.admin_initiate_auth(
            UserPoolId=self.user_pool,
            ClientId=client or self.app,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        return dict(answer["AuthenticationResult"])

    def identity_pool(self, **settings: Any) -> str:
        made = self.pools.create_identity_pool(
            **{
                "IdentityPoolName": "ledger",
                "AllowUnauthenticatedIdentities": False,
                "CognitoIdentityProviders": [{"ProviderName": self.provider, "ClientId": self.app}],
                **settings,
            }
        )
        return str(made["IdentityPoolId"])

    def role(self, kind: str, trusted: str, *allowed: dict[str, Any]) -> str:
        name = f"{kind}-{next(self._numbers)}"
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]
        if allowed:
            self.iam.put_role_policy(
                RoleName=name, PolicyName="may", PolicyDocument=policy(*allowed)
            )
        return str(role["Arn"])

    def tokens(self, name: str = "ana") -> Situation:
        """One sign-in, and what a forger makes of it."""
        mine = self.sign_in(name)
        head, claims, signature = mine["IdToken"].split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
        end = "A" if signature[0] != "A" else "B"
        return {
            "provider": self.provider,
            "id_token": mine["IdToken"],
            "access_token": mine["AccessToken"],
            "other_client_token": self.sign_in(name, self.other_app)["IdToken"],
            "tampered": f"{head}.{claims}.{end}{signature[1:]}",
            "unsigned": f"{none}.{claims}.",
        }

    def credentials(self, here: Situation, **more: Any) -> Situation:
        """The keys of a signed-in user, or of a guest when there is no token."""
        logins = {self.provider: here["id_token"]} if "id_token" in here else {}
        made = self.pools.get_credentials_for_identity(
            IdentityId=here["identity"], Logins=logins, **more
        )["Credentials"]
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretKey"],
            "aws_session_token": made["SessionToken"],
        }


# -- pools and roles ----------------------------------------------------------------------------

ITEMS = [
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"arn:aws:s3:::notes/${{{IDENTITY}:sub}}/*",
    },
    {
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"],
        "Resource": "arn:aws:dynamodb:*:*:table/notes",
        "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"${{{IDENTITY}:sub}}"]}
        },
    },
    {"Effect": "Allow", "Action": ["cognito-identity:*", "iam:*"], "Resource": "*"},
]
"""What the roles allow: one's own objects and items, and two things that sessions narrow."""


def with_role(pools: Pools, trusted: dict[str, Any] | None = None, **settings: Any) -> Situation:
    """A pool, its authenticated role, and Ana, who has signed in and has an identity."""
    pool_id = pools.identity_pool(**settings)
    role_arn = pools.role("default", policy(trusted or trust(pool_id)), *ITEMS)
    pools.pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": role_arn})
    return with_identity(pools, pool_id) | {"role_arn": role_arn}


def with_identity(pools: Pools, pool_id: str) -> Situation:
    here = pools.tokens() | {"pool": pool_id}
    made = pools.pools.get_id(IdentityPoolId=pool_id, Logins={pools.provider: here["id_token"]})
    return here | {"identity": made["IdentityId"], "user_pool": pools.user_pool}


@setup("a signed-in user")
def signed_in_user(pools: Pools) -> Situation:
    return with_role(pools)


@setup("a pool without a role")
def pool_without_a_role(pools: Pools) -> Situation:
    return with_identity(pools, pools.identity_pool())


@setup("a role that is gone")
def role_that_is_gone(pools: Pools) -> Situation:
    here = with_role(pools)
    name = here["role_arn"].rsplit("/", 1)[1]
    pools.iam.delete_role_policy(RoleName=name, PolicyName="may")
    pools.iam.delete_role(RoleName=name)
    return here


@setup("a role for another pool")
def role_for_another_pool(pools: Pools) -> Situation:
    return with_role(pools, trust("us-east-1:12345678-1234-1234-1234-123456789012"))


@setup("a role for guests")
def role_for_guests(pools: Pools) -> Situation:
    pool_id = pools.identity_pool()
    role_arn = pools.role("guest", policy(trust(pool_id, "unauthenticated")))
    pools.pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": role_arn})
    return with_identity(pools, pool_id)


@setup("a role that compares amr as one text")
def role_that_compares_one_text(pools: Pools) -> Situation:
    pool_id = pools.identity_pool()
    role_arn = pools.role("text", policy(trust(pool_id, "*authenticated*", "StringLike")))
    pools.pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": role_arn})
    return with_identity(pools, pool_id)


@setup("a role for another action")
def role_for_another_action(pools: Pools) -> Situation:
    return with_role(pools, trust("us-east-1:1") | {"Action": "sts:AssumeRole"})


@setup("a role for Lambda")
def role_for_lambda(pools: Pools) -> Situation:
    service = {"Service": "lambda.amazonaws.com"}
    return with_role(pools, {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"})


def with_a_deny(pools: Pools, principal: Any, sub: str | None = None) -> Situation:
    here = with_role(pools)
    deny = {
        "Effect": "Deny",
        "Principal": principal,
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{IDENTITY}:sub": sub or here["identity"]}},
    }
    pools.iam.update_assume_role_policy(
        RoleName=here["role_arn"].rsplit("/", 1)[1],
        PolicyDocument=policy(trust(here["pool"]), deny),
    )
    return here


@setup("a role with a Deny")
def role_with_a_deny(pools: Pools) -> Situation:
    return with_a_deny(pools, {"Federated": IDENTITY})


@setup("a role with a Deny for everybody")
def role_with_a_deny_for_everybody(pools: Pools) -> Situation:
    return with_a_deny(pools, {"AWS": "*"})


@setup("a role with a Deny that has a variable")
def role_with_a_variable(pools: Pools) -> Situation:
    return with_a_deny(pools, {"Federated": IDENTITY}, f"${{{IDENTITY}:sub}}")


@setup("a role for everybody")
def role_for_everybody(pools: Pools) -> Situation:
    return with_role(pools, trust("us-east-1:1") | {"Principal": "*", "Condition": {}})


@setup("a role for one provider")
def role_for_one_provider(pools: Pools) -> Situation:
    pool_id = pools.identity_pool()
    role_arn = pools.role("provider", policy(trust(pool_id, pools.provider)))
    pools.pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": role_arn})
    return with_identity(pools, pool_id)


@setup("a pool without providers")
def pool_without_providers(pools: Pools) -> Situation:
    return pools.tokens() | {"pool": pools.identity_pool(CognitoIdentityProviders=[])}


@setup("a pool with two user pools")
def pool_with_two_user_pools(pools: Pools) -> Situation:
    other = pools.users.create_user_pool(PoolName="other")["UserPool"]["Id"]
    name = f"cognito-idp.us-east-1.amazonaws.com/{other}"
    both = [
        {"ProviderName": pools.provider, "ClientId": pools.app},
        {"ProviderName": name, "ClientId": pools.app},
    ]
    pool_id = pools.identity_pool(CognitoIdentityProviders=both)
    return pools.tokens() | {"pool": pool_id, "other_provider": name}


@setup("a pool for Facebook")
def pool_for_facebook(pools: Pools) -> Situation:
    providers = {"graph.facebook.com": "7346241598935552"}
    return {"pool": pools.identity_pool(SupportedLoginProviders=providers)}


@setup("another user's token")
def another_users_token(pools: Pools) -> Situation:
    here = with_role(pools)
    return here | {"ben_token": pools.sign_in("ben")["IdToken"]}


@setup("an hour later")
def an_hour_later(pools: Pools) -> Situation:
    here = with_role(pools)
    here["session"] = pools.credentials(here)
    pools.lab.clock.advance(minutes=61)
    return here


# -- guests -----------------------------------------------------------------------------------------


@setup("a guest")
def guest(pools: Pools) -> Situation:
    pool_id = pools.identity_pool(AllowUnauthenticatedIdentities=True)
    role_arn = pools.role("guest", policy(trust(pool_id, "unauthenticated")), *ITEMS)
    pools.pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"unauthenticated": role_arn})
    identity = pools.pools.get_id(IdentityPoolId=pool_id)["IdentityId"]
    here = {"pool": pool_id, "identity": identity}
    return here | {"session": pools.credentials(here)}


@setup("guests no more")
def guests_no_more(pools: Pools) -> Situation:
    here = guest(pools)
    pools.pools.update_identity_pool(
        IdentityPoolId=here["pool"], IdentityPoolName="ledger", AllowUnauthenticatedIdentities=False
    )
    return here


@setup("a user in a pool with guests")
def user_in_a_pool_with_guests(pools: Pools) -> Situation:
    return with_role(pools, AllowUnauthenticatedIdentities=True)


# -- role mapping ---------------------------------------------------------------------------------


def with_mapping(
    pools: Pools, mapping: dict[str, Any], *groups: tuple[str, int | None]
) -> Situation:
    """Dora has signed in; each of her groups has a role of its name, and so have the rules of the mapping."""
    pool_id = pools.identity_pool()
    trusted = policy(trust(pool_id))
    roles = {name: pools.role(name, trusted) for name in ("default", "reader", "writer", "others")}
    for rule in mapping.get("RulesConfiguration", {}).get("Rules", []):
        rule["RoleARN"] = roles[rule["RoleARN"]]
    user = f"dora-{next(pools._numbers)}"
    pools.user(user)
    for name, precedence in groups:
        group = f"{name}-{next(pools._numbers)}"
        ranked = {} if precedence is None else {"Precedence": precedence}
        pools.users.create_group(
            UserPoolId=pools.user_pool, GroupName=group, RoleArn=roles[name], **ranked
        )
        pools.users.admin_add_user_to_group(
            UserPoolId=pools.user_pool, Username=user, GroupName=group
        )
    pools.pools.set_identity_pool_roles(
        IdentityPoolId=pool_id,
        Roles={"authenticated": roles["default"]},
        RoleMappings={f"{pools.provider}:{pools.app}": mapping},
    )
    token = pools.sign_in(user)["IdToken"]
    logins = {pools.provider: token}
    identity = pools.pools.get_id(IdentityPoolId=pool_id, Logins=logins)["IdentityId"]
    arns = {f"{name}_arn": arn for name, arn in roles.items()}
    return arns | {
        "pool": pool_id,
        "provider": pools.provider,
        "id_token": token,
        "identity": identity,
        "client": pools.app,
    }


def by_token(resolution: str) -> dict[str, Any]:
    return {"Type": "Token", "AmbiguousRoleResolution": resolution}


def by_rules(resolution: str, *rules: tuple[str, str, str, str]) -> dict[str, Any]:
    keys = ("Claim", "MatchType", "Value", "RoleARN")
    listed = [dict(zip(keys, rule, strict=True)) for rule in rules]
    return {
        "Type": "Rules",
        "AmbiguousRoleResolution": resolution,
        "RulesConfiguration": {"Rules": listed},
    }


@setup("mapping by token")
def mapping_by_token(pools: Pools) -> Situation:
    return with_mapping(pools, by_token("Deny"), ("reader", 5), ("writer", 1))


@setup("mapping by token, no group")
def mapping_by_token_no_group(pools: Pools) -> Situation:
    return with_mapping(pools, by_token("AuthenticatedRole"))


@setup("mapping by token, no group, deny")
def mapping_by_token_deny(pools: Pools) -> Situation:
    return with_mapping(pools, by_token("Deny"))


@setup("mapping by token, two equal groups")
def mapping_by_token_two_equal(pools: Pools) -> Situation:
    return with_mapping(pools, by_token("Deny"), ("reader", 5), ("writer", 5))


@setup("mapping by token, one group without precedence")
def mapping_by_token_one_group(pools: Pools) -> Situation:
    return with_mapping(pools, by_token("Deny"), ("reader", None))


@setup("mapping by rules")
def mapping_by_rules(pools: Pools) -> Situation:
    return with_mapping(
        pools,
        by_rules(
            "Deny",
            ("custom:team", "NotEqual", "red", "others"),
            ("cognito:username", "StartsWith", "dora-", "reader"),
            ("cognito:username", "Contains", "ora", "writer"),
        ),
    )


@setup("mapping by rules, none fits")
def mapping_by_rules_none_fits(pools: Pools) -> Situation:
    return with_mapping(pools, by_rules("Deny", ("cognito:username", "Equals", "ana", "reader")))


# -- signing out, and what credentials are good for ----------------------------------------------------


def signed_out(pools: Pools, *, checked: bool) -> Situation:
    pools.user(user := f"eve-{next(pools._numbers)}")
    provider = {"ProviderName": pools.provider, "ClientId": pools.app}
    here = with_role(pools, CognitoIdentityProviders=[provider | {"ServerSideTokenCheck": checked}])
    here["id_token"] = pools.sign_in(user)["IdToken"]
    logins = {pools.provider: here["id_token"]}
    made = pools.pools.get_id(IdentityPoolId=here["pool"], Logins=logins)
    pools.iam.update_assume_role_policy(
        RoleName=here["role_arn"].rsplit("/", 1)[1], PolicyDocument=policy(trust(here["pool"]))
    )
    pools.users.admin_user_global_sign_out(UserPoolId=pools.user_pool, Username=user)
    return here | {"identity": made["IdentityId"], "username": user}


@setup("signed out")
def signed_out_unchecked(pools: Pools) -> Situation:
    return signed_out(pools, checked=False)


@setup("signed out with credentials")
def signed_out_with_credentials(pools: Pools) -> Situation:
    here = with_credentials(pools)
    pools.users.admin_user_global_sign_out(UserPoolId=pools.user_pool, Username="ana")
    return here


@setup("signed out, with the check")
def signed_out_checked(pools: Pools) -> Situation:
    return signed_out(pools, checked=True)


@setup("deleted, with the check")
def deleted_checked(pools: Pools) -> Situation:
    here = signed_out(pools, checked=True)
    pools.users.admin_delete_user(UserPoolId=pools.user_pool, Username=here["username"])
    return here


@setup("credentials")
def with_credentials(pools: Pools) -> Situation:
    here = with_role(pools)
    return here | {"session": pools.credentials(here)}


@setup("credentials of a role that was deleted and made again")
def credentials_of_another_role(pools: Pools) -> Situation:
    here = with_credentials(pools)
    name = here["role_arn"].rsplit("/", 1)[1]
    pools.iam.delete_role_policy(RoleName=name, PolicyName="may")
    pools.iam.delete_role(RoleName=name)
    pools.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust(here["pool"])))
    pools.iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(*ITEMS))
    return here


@setup("a policy whose variable has no value")
def policy_without_a_value(pools: Pools) -> Situation:
    here = with_credentials(pools)
    may = {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:iam::*:role/${aws:username}"}
    pools.iam.put_role_policy(
        RoleName=here["role_arn"].rsplit("/", 1)[1], PolicyName="may", PolicyDocument=policy(may)
    )
    return here


@setup("an owner who may not pass roles")
def owner_who_may_not_pass_roles(pools: Pools) -> Situation:
    here = with_role(pools)
    name = f"owner-{next(pools._numbers)}"
    pools.iam.create_user(UserName=name)
    may = {"Effect": "Allow", "Action": ["cognito-identity:*", "cognito-idp:*"], "Resource": "*"}
    pools.iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy(may))
    key = pools.iam.create_access_key(UserName=name)["AccessKey"]
    return here | {
        "session": {
            "aws_access_key_id": key["AccessKeyId"],
            "aws_secret_access_key": key["SecretAccessKey"],
        }
    }


@setup("a forged token of the identity pool")
def forged_identity_pool_token(pools: Pools) -> Situation:
    here = with_role(pools)
    claims = {
        "iss": f"https://{IDENTITY}",
        "aud": here["pool"],
        "sub": here["identity"],
        "amr": ["authenticated"],
    }
    return here | {"forged": jwt.encode(claims, "a key of the forger, which is long", "HS256")}
