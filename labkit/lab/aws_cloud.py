"""The course on a real AWS account: plain boto3, plain requests, your own mailbox."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from http import HTTPStatus

import requests

from labkit import service_models
from labkit.course.build import invoke_url, wait_until
from labkit.errors import SetupError
from labkit.journey import Journey
from labkit.lab.clock import Clock
from labkit.lab.inbox import AskingInbox, Inbox
from labkit.names import REGION

_DEPLOYMENT_SPREAD_SECONDS = 20
_ROLE_SPREAD_SECONDS = 12
"""A new role can't be assumed at once: IAM is eventually consistent, and no call tells when it is ready."""


class AwsCloud:
    """A real account, with the credentials that boto3 finds.

    Args:
        sleep: waits for what spreads in AWS.

    Raises:
        SetupError: boto3 finds no working credentials.
    """

    name = "aws"
    costs_money = True
    patience_seconds = 60
    """How long a check waits for what AWS may only not have spread yet."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            session = boto3.Session()
            self.region: str = session.region_name or REGION
            sts = session.client("sts", region_name=self.region)
            self.account_id: str = sts.get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            if os.environ.get("AWS_SHARED_CREDENTIALS_FILE") == os.devnull:
                raise SetupError(
                    "JupyterLab was started for the local cloud and hides your AWS credentials: "
                    "stop it, set LABKIT_CLOUD=aws, and start it again."
                ) from error
            raise SetupError(
                f"LABKIT_CLOUD=aws, but AWS doesn't accept your credentials ({error}): run `aws configure`, "
                "or unset LABKIT_CLOUD to use the local cloud."
            ) from error
        self._sleep = sleep
        self.http: requests.Session = requests.Session()
        self.inbox: Inbox = AskingInbox()
        self.clock = Clock(None)

    def environment(self) -> dict[str, str | None]:
        """The variables that boto3 needs beyond the learner's own."""
        more_models = service_models.environment(os.environ.get(service_models.DATA_PATH_VARIABLE))
        return {"AWS_DEFAULT_REGION": self.region, **more_models}

    def status(self) -> str:
        """What the first cell prints."""
        return (
            "cloud    AWS, a real account\n"
            f"account  {self.account_id}\n"
            f"region   {self.region}\n"
            "What you make here is real. Finish with lab.clean_up(); the lab fits in the free tier of most accounts."
        )

    def journey(self, response: requests.Response) -> Journey:
        """A journey without steps: AWS doesn't tell them."""
        request = response.request
        return Journey(
            request_id=response.headers.get("x-amzn-RequestId", ""),
            method=request.method or "",
            path=request.path_url,
            status=response.status_code,
            note="AWS doesn't tell which gate answered; the local cloud does.",
        )

    def postman_variables(self, api_id: str) -> dict[str, str]:
        """The genuine addresses."""
        return {
            "cognito_endpoint": f"https://cognito-idp.{self.region}.amazonaws.com/",
            "invoke_url": invoke_url(api_id),
        }

    def check(self) -> None:
        """AWS is there, or boto3 says so."""

    def journeys(self) -> list[Journey]:
        """None: AWS doesn't tell them."""
        return []

    def wait_for_role(self) -> None:
        """Wait until a new role can be assumed."""
        self._sleep(_ROLE_SPREAD_SECONDS)

    def wait_for_deployment(self) -> None:
        """Wait until a deployment has spread, as far as that can be known."""
        self._sleep(_DEPLOYMENT_SPREAD_SECONDS)

    def wait_until_closed(self, url: str) -> None:
        """Wait until a closed method answers with 401: a deployment takes some seconds to spread."""
        closed = HTTPStatus.UNAUTHORIZED
        wait_until(lambda: self.http.get(url, timeout=10).status_code == closed)
