"""The composition root: makes the parts of one local cloud and hands each what it needs.

Nothing is started, read or written here; :meth:`LocalCloud.start` does that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labkit.clock import ProcessClock
from labkit.local.apigateway.addresses import Addresses
from labkit.local.apigateway.control.http.control_plane import HttpApiControlPlane
from labkit.local.apigateway.control.rest.control_plane import Authorizers, RestApiControlPlane
from labkit.local.apigateway.control.rest.usage_operations import UsageOperations
from labkit.local.apigateway.http.data_plane import HttpApiDataPlane
from labkit.local.apigateway.http.service import http_api_pipeline
from labkit.local.apigateway.journeys import Journeys
from labkit.local.apigateway.rest.authorization import Authorization
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.data_plane import RestApiDataPlane
from labkit.local.apigateway.rest.http_integration import HttpIntegration
from labkit.local.apigateway.rest.iam_authorizer import IamAuthorizer
from labkit.local.apigateway.rest.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.rest.lambda_proxy import LambdaProxyIntegration
from labkit.local.apigateway.rest.pipeline import Gates, Pipeline
from labkit.local.apigateway.rest.resource_policy import ResourcePolicy
from labkit.local.apigateway.rest.throttling import Throttle
from labkit.local.apigateway.rest.usage_plans import UsagePlans
from labkit.local.cognito.identity_pools import IdentityPoolService
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.user_pools import UserPoolService
from labkit.local.engine import Engine
from labkit.local.front.application import LocalCloud
from labkit.local.front.clock import CloudClock
from labkit.local.front.own_endpoints import OwnEndpoints
from labkit.local.front.services import Services
from labkit.local.functions import FunctionRunner
from labkit.local.settings import CloudSettings

Clock = Callable[[], float]
"""The time in seconds since the epoch."""


@dataclass(frozen=True)
class Parts:
    """The parts that start and end with the cloud.

    Attributes:
        engine: MiniStack.
        runner: Lambda's execution environments.
        mailbox: takes what Cognito sends.
        clock: the movable clock.
        identity_pools: the service.
        throttle: the token buckets.
    """

    engine: Engine
    runner: FunctionRunner
    mailbox: Mailbox
    clock: CloudClock
    identity_pools: IdentityPoolService
    throttle: Throttle

    async def start(self) -> None:
        """Start the engine and connect the parts; called on the serving event loop before the port opens."""
        self.clock.start()
        self.engine.start()
        self.engine.bind_to_running_loop()
        await asyncio.to_thread(self.engine.warm_up)
        self.identity_pools.guard_roles()
        self.engine.run_functions_with(self.runner)
        self.engine.deliver_mail_with(self.mailbox.deliver)

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
) -> LocalCloud:
    """One local cloud, not yet started.

    Args:
        settings: port, credentials, account, work directory.
        clock: by which tokens, signatures, sessions, caches, buckets and quotas age.
        process_clock: how far this process's time is ahead; ``/_labkit/clock`` moves it.
        shut_down: called when ``/_labkit/shutdown`` asks for the end.
        ready: called when everything is connected.
    """
    engine, mailbox, journeys = Engine(settings), Mailbox(clock=clock), Journeys()
    cloud_clock = CloudClock(Path(settings.work_directory), process_clock)
    runner = FunctionRunner(
        engine.role_credentials,
        settings.endpoint,
        Path(settings.work_directory),
        clock=clock,
        clock_offset=cloud_clock.offset,
        adopts=True,
    )
    authorizers = Authorizers(
        CognitoAuthorizer(engine, clock), LambdaAuthorizer(engine, engine, clock=clock)
    )
    usage_plans = UsagePlans(engine, clock)
    throttle = Throttle(usage_plans, clock)
    pipeline = Pipeline(
        Gates(
            authorization=Authorization(
                ResourcePolicy(engine),
                authorizers.cognito,
                IamAuthorizer(engine, clock),
                authorizers.lambda_authorizer,
            ),
            usage_plans=usage_plans,
            throttle=throttle,
            lambda_proxy=LambdaProxyIntegration(engine),
            http=HttpIntegration(),
        )
    )
    account_id, forward = settings.account_id, engine.forward
    rest_apis = RestApiDataPlane(engine, pipeline, account_id, journeys)
    http_apis = HttpApiDataPlane(
        engine, http_api_pipeline(engine, throttle.buckets, clock), account_id, journeys
    )
    identity_pools = IdentityPoolService(engine, clock=clock)
    services = Services(
        user_pools=UserPoolService(engine, mailbox, clock=clock),
        identity_pools=identity_pools,
        usage=UsageOperations(engine, forward, usage_plans),
        rest_apis=RestApiControlPlane(
            engine, forward, rest_apis, pipeline, account_id, authorizers
        ),
        http_apis=HttpApiControlPlane(engine, forward, http_apis, engine),
        forward=forward,
    )
    own_endpoints = OwnEndpoints(
        settings, mailbox=mailbox, journeys=journeys, clock=cloud_clock, shut_down=shut_down
    )
    return LocalCloud(
        settings,
        parts=Parts(engine, runner, mailbox, cloud_clock, identity_pools, throttle),
        addresses=Addresses(engine),
        rest_apis=rest_apis,
        http_apis=http_apis,
        services=services,
        own_endpoints=own_endpoints,
        ready=ready,
    )
