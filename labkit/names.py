"""The names of the lab, exactly as the course uses them, and the tag by which its resources are known again."""

from __future__ import annotations

import os

from labkit.errors import UnknownNotebookError

CLOUD_VARIABLE = "LABKIT_CLOUD"
REGION = "us-east-1"
TAGS = {"course": "api-gateway-security"}
"""Every resource that the course makes carries this tag."""

FUNCTION = "d-lambda-nonvpc-cmp-demo-function"
ROLE = "d-lambda-nonvpc-cmp-demo-function-role"
LOG_GROUP = "/aws/lambda/d-lambda-nonvpc-cmp-demo-function"
NEW_USER_POOL = "User pool - course"
"""The name before task 2.1 renames the pool; the console makes up a name of this form."""
USER_POOL = "d-user-pool-demo"
APP_CLIENT = "d-cognito-spa-app"
REST_API = "d-apigw-cmp-demo"
RESOURCE = "demo"
AUTHORIZER = "d-authorizer-user-pool-demo"
SCOPE = "aws.cognito.signin.user.admin"
STAGE = "dev"
DEPLOYMENT = "Cognito authorizer, by lab.start_task"
"""The description of a deployment that only start_task makes: of every other one nobody knows what is in it."""
EMAIL = "learner@example.com"

NOTEBOOKS = (
    "cognito-user-pool",
    "lambda-authorizer",
    "iam-sigv4",
    "identity-pool",
    "jwt-http-api",
    "resource-policy",
    "choosing-a-mode",
    "throttling",
    "usage-plans",
    "refresh-tokens",
    "hide-the-api",
    "living-with-429",
    "doors-that-look-closed",
)
"""The notebooks beyond the lab. What one of them makes is named ``d-<notebook>-…``."""

LAB_NAMES = frozenset({FUNCTION, ROLE, LOG_GROUP, NEW_USER_POOL, USER_POOL, REST_API})


def prefix_of(notebook: str) -> str:
    """How the names begin that a notebook beyond the lab gives.

    Raises:
        UnknownNotebookError: there is no such notebook.

    >>> prefix_of("iam-sigv4")
    'd-iam-sigv4-'
    """
    if notebook not in NOTEBOOKS:
        raise UnknownNotebookError(
            f"There is no notebook {notebook!r}: choose one of {', '.join(NOTEBOOKS)}."
        )
    return f"d-{notebook}-"


def is_of_the_course(name: str) -> bool:
    """Whether a name is one that the course gives."""
    plain = name.removeprefix("/aws/lambda/")
    return name in LAB_NAMES or any(plain.startswith(prefix_of(notebook)) for notebook in NOTEBOOKS)


def chosen_cloud() -> str:
    """The cloud that the environment chooses, ``local`` unless it names another."""
    return os.environ.get(CLOUD_VARIABLE, "").strip().lower() or "local"


def is_local_cloud_chosen() -> bool:
    """Whether the course runs on this machine, and nothing of it may go to AWS."""
    return chosen_cloud() == "local"
