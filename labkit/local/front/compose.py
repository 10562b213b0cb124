"""The composition root: makes the parts of one local cloud and hands each what it needs.

Nothing is started, read or written here; :meth:`CloudParts.start` does that.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labkit.clock import ProcessClock
from labkit.local.apigateway.composition import ApiGateway, compose_api_gateway
from labkit.local.cognito.identity_pools import IdentityPoolService
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.user_pools import UserPoolService, draw_digits
from labkit.local.engine import Engine
from labkit.local.front.application import CloudApplication
from labkit.local.front.clock import CloudClock
from labkit.local.front.own_endpoints import OwnEndpoints
from labkit.local.front.response_writer import ResponseWriter
from labkit.local.front.services import Services
from labkit.local.functions import FunctionRunner
from labkit.local.settings import CloudSettings

Clock = Callable[[], float]
"""The time in seconds since the epoch."""


@dataclass(frozen=True)
class CloudParts:
    """The parts that start and end with the cloud.

    Attributes:
        engine: MiniStack.
        runner: Lambda's execution environments.
        clock: the movable clock.
        gateway: API Gateway; the cloud has what it needs of it, tests look inside.
    """

    engine: Engine
    runner: FunctionRunner
    clock: CloudClock
    gateway: ApiGateway

    async def start(self) -> None:
        """Start the engine and connect the parts; called on the serving event loop before the port opens."""
        self.clock.start()
        await self.engine.start()

    def close(self) -> None:
        """End every process that a function left."""
        self.runner.close()


def compose(
    settings: CloudSettings,
    *,
    clock: Clock,
    process_clock: ProcessClock,
    shut_down: Callable[[], None] = lambda: None,
    ready: Callable[[], None] = lambda: None,
) -> CloudApplication:
    """One local cloud, not yet started.

    Args:
        settings: port, credentials, account, work directory.
        clock: by which tokens, sessions, caches, buckets, quotas and the signatures of API calls age.
        process_clock: how far this process's time is ahead: MiniStack's, and that of control-plane signatures;
            ``/_labkit/clock`` moves it.
        shut_down: called when ``/_labkit/shutdown`` asks for the end.
        ready: called when everything is connected.
    """
    numbers = random.Random()  # noqa: S311 - for ids, which are no secret
    engine, mailbox = Engine(settings, clock, numbers), Mailbox(clock=clock)
    cloud_clock = CloudClock(Path(settings.work_directory), process_clock)
    runner = FunctionRunner(
        engine.sts.role_credentials,
        settings.endpoint,
        Path(settings.work_directory),
        clock=clock,
        clock_offset=cloud_clock.offset,
        adopts=True,
    )
    engine.functions.run_with(runner)
    engine.web_acl_associations.look_up_stages_with(engine.rest_apis.stage)
    gateway = compose_api_gateway(
        engine,
        settings.account_id,
        clock=clock,
        numbers=numbers,
    )
    services = Services(
        user_pools=UserPoolService(
            engine, mailbox, clock=clock, numbers=numbers, draw_digits=draw_digits
        ),
        identity_pools=IdentityPoolService(engine, clock=clock, numbers=numbers),
        usage=gateway.usage,
        rest_apis=gateway.rest_control,
        http_apis=gateway.http_control,
        forward=engine.forward,
    )
    own_endpoints = OwnEndpoints(
        settings, mailbox=mailbox, journeys=gateway.journeys, clock=cloud_clock, shut_down=shut_down
    )
    return CloudApplication(
        settings,
        parts=CloudParts(engine, runner, cloud_clock, gateway),
        addresses=gateway.addresses,
        rest_apis=gateway.rest_apis,
        http_apis=gateway.http_apis,
        services=services,
        own_endpoints=own_endpoints,
        writer=ResponseWriter(clock, numbers),
        ready=ready,
    )
