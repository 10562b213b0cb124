"""A kernel's side of the local cloud: the environment for boto3, the HTTP session, the inbox, the journeys."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

from labkit import service_models
from labkit.errors import CloudUnavailableError, ForeignHostError, JourneyUnknownError
from labkit.journey import Journey
from labkit.lab import cloud_process
from labkit.lab.clock import Clock
from labkit.lab.inbox import Inbox
from labkit.lab.kernel_clock import KernelClock
from labkit.local.settings import CloudSettings
from labkit.names import STAGE

_AWS_HOST = re.compile(r"([a-z0-9-]+\.){1,4}amazonaws\.com|[a-z0-9]+\.cloudfront\.net")
_NO_DOMAIN = re.compile(r"[^.]*|[0-9.]+|.*:.*")
"""What can't be a custom domain name: a name without a dot, an IP address. It might name this machine."""
_NO_SUCH_HOST = "x-labkit-no-such-host"


class LocalCloudAdapter(HTTPAdapter):
    """Sends requests for genuine AWS host names to the local cloud, with their ``Host`` header.

    Args:
        endpoint: ``http://127.0.0.1:<port>``.
    """

    stays_in_the_lab = True
    """Known by this to who explains an answer: plain requests would have gone to AWS."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(pool_maxsize=64)
        self.endpoint = endpoint
        self._endpoint = urlsplit(endpoint)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send one request.

        Raises:
            ForeignHostError: the host isn't AWS's nor the local cloud's.
            CloudUnavailableError: the local cloud doesn't answer.
        """
        parts = urlsplit(request.url or "")
        host = (parts.hostname or "").lower()
        sent = request.copy()  # a redirect copies the learner's own, and may go to another host
        if _AWS_HOST.fullmatch(host):
            sent.headers.setdefault("Host", host)
        elif parts.netloc != self._endpoint.netloc:
            if _NO_DOMAIN.fullmatch(host):
                raise _foreign(host)
            # A custom domain name perhaps: the local cloud knows. Nothing leaves this machine to ask.
            sent.headers["Host"] = host
        sent.url = urlunsplit((self._endpoint.scheme, self._endpoint.netloc, *parts[2:]))
        try:
            response = super().send(sent, *args, **kwargs)
        except requests.exceptions.Timeout:
            raise
        except requests.exceptions.ConnectionError as error:
            raise CloudUnavailableError(cloud_process.GONE) from error
        response.request, response.url = request, request.url or ""
        if _NO_SUCH_HOST in response.headers:
            response.close()
            if not _AWS_HOST.fullmatch(host):
                raise _foreign(host)
            raise requests.exceptions.ConnectionError(
                f"HTTPSConnectionPool(host={host!r}): Failed to resolve {host!r}: on AWS the name has an address only "
                "while the API exists.",
                request=request,
            )
        return response


def _foreign(host: str) -> ForeignHostError:
    return ForeignHostError(
        f"lab.http only reaches the lab's own host names, not {host!r}: nothing leaves this machine."
    )


class LocalCloud:
    """This user's local cloud, found or started.

    Raises:
        SetupError: the machine doesn't let it start.
        CloudUnavailableError: it didn't start.
    """

    name = "local"
    costs_money = False
    patience_seconds = 0
    """What isn't here won't come: nothing spreads late."""

    def __init__(self) -> None:
        self.settings: CloudSettings = cloud_process.attach_or_start()
        self.region = self.settings.region
        self.account_id = self.settings.account_id
        self.http = requests.Session()
        self.http.trust_env = False  # no proxy or netrc file of the machine gets in between
        adapter = LocalCloudAdapter(self.settings.endpoint)
        self.http.mount("https://", adapter)
        self.http.mount("http://", adapter)
        self.inbox = Inbox(self._messages)
        timekeeper = KernelClock(self.settings)
        timekeeper.keep_up()
        self.clock = Clock(timekeeper)

    def environment(self) -> dict[str, str | None]:
        """The variables that make ``boto3.client(...)`` reach the local cloud; None removes one of the learner's."""
        before = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
        no_proxy = ",".join(filter(None, (before, "127.0.0.1", "localhost")))
        return {name: None for name in os.environ if name.startswith("AWS_")} | {
            "AWS_ACCESS_KEY_ID": self.settings.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.settings.secret_access_key,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.settings.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
            **service_models.environment(),
        }

    def status(self) -> str:
        """What the first cell prints."""
        return (
            "cloud    local, on this machine\n"
            f"account  {self.account_id} (an example number)\n"
            f"region   {self.region}\n"
            "Nothing leaves this machine, nothing costs money."
        )

    def check(self) -> None:
        """See that the cloud answers.

        Raises:
            CloudUnavailableError: it doesn't; boto3 would say so in other words.
        """
        self._get("health")

    def journey(self, response: requests.Response) -> Journey:
        """The way of a request through the gateway.

        Raises:
            JourneyUnknownError: the response isn't from the gateway, or its journey isn't kept any more.
        """
        sent = response.headers
        request_id = sent.get("x-amzn-RequestId") or sent.get("apigw-requestid", "")
        path = f"/_labkit/journeys/{quote(request_id, safe='')}"
        data = cloud_process.call(self.settings, "GET", path) if request_id else None
        if data is None:
            self.check()
            raise JourneyUnknownError(
                "The local cloud keeps no journey of this response: is it from the gateway? Send the request again."
            )
        return Journey.from_dict(data)

    def journeys(self) -> list[Journey]:
        """The journeys of the last requests, the newest first."""
        return [Journey.from_dict(data) for data in self._get("journeys")]

    def wait_for_role(self) -> None:
        """A role of the local cloud can be assumed at once."""

    def wait_for_deployment(self) -> None:
        """A deployment of the local cloud is there at once."""

    def wait_until_closed(self, url: str) -> None:
        """A closed method of the local cloud is closed at once."""

    def postman_variables(self, api_id: str) -> dict[str, str]:
        """Where Postman finds the cloud, which has no address by its genuine names; and the inbox with the code."""
        endpoint = self.settings.endpoint
        return {
            "cognito_endpoint": f"{endpoint}/",
            "invoke_url": f"{endpoint}/_aws/execute-api/{api_id}/{STAGE}",
            "labkit_endpoint": endpoint,
            "labkit_token": self.settings.admin_token,
        }

    def _messages(self, address: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self._get(f"inbox/{quote(address, safe='')}")
        return messages

    def _get(self, path: str) -> Any:
        answer = cloud_process.call(self.settings, "GET", f"/_labkit/{path}")
        if answer is None:
            raise CloudUnavailableError(cloud_process.GONE)
        return answer
