"""The picture of the lab shows what exists at the beginning of each task."""

import boto3
import pytest

from labkit import names
from labkit.lab.session import Lab

POOL, API = ["user pool", "app client"], ["REST API", "GET /demo"]
HERE = {
    1: [],
    2: ["function"],
    3: ["function", *POOL],
    4: ["function", *POOL, *API],
    5: ["function", *POOL, *API, "authorizer", "stage dev"],
    6: ["function", *POOL, "user", *API, "authorizer", "stage dev"],
}


@pytest.mark.parametrize("task", HERE)
def test_it_shows_what_exists(lab: Lab, task: int) -> None:
    lab.start_task(task)
    picture = lab.picture()
    assert [name for name, here in picture.parts.items() if here] == HERE[task]
    html = picture._repr_html_()
    for name, here in picture.parts.items():
        assert f"{'✓' if here else '○'} {name}" in html
        assert name in str(picture)


def test_a_pool_of_the_console_counts_too(lab: Lab) -> None:
    lab.start_task(2)
    pool = boto3.client("cognito-idp").create_user_pool(PoolName=names.NEW_USER_POOL)["UserPool"]
    assert lab.picture().parts["user pool"]
    boto3.client("cognito-idp").delete_user_pool(UserPoolId=pool["Id"])
    assert not lab.picture().parts["user pool"]
