"""Invokes functions: gives each invocation an execution environment, a warm one if there is one."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labkit.errors import CloudUnavailableError
from labkit.local.functions.configuration import Configuration
from labkit.local.functions.deployment_package import CodeStore, remove_tree
from labkit.local.functions.descendants import become_subreaper, kill_other_children
from labkit.local.functions.environment import Environment, kill_together, now
from labkit.local.functions.environment_variables import environment_variables
from labkit.local.functions.errors import STOPPED, FailedError, TimedOutError, failed
from labkit.local.functions.pool import Pool

JsonObject = dict[str, Any]
CredentialsFor = Callable[[str, str], dict[str, str]]
"""Makes a role's temporary credentials, as environment variables: (role ARN, session name) → variables."""


class FunctionRunner:
    """Runs Python functions, as :meth:`labkit.local.engine.Functions.run_with` wants it.

    Calls block, and may come from any thread. At most ``max_environments`` of one function (and
    version) are kept and run at once; further calls wait for a free one. A handler may wait for a
    call that itself waits: a function that calls itself, or two that call each other. So when for
    ``patience`` seconds no environment of the function got free or ready, one more is started, up
    to ``hard_limit``; it ends when nobody waits for it. At the hard limit calls wait until an
    environment is free, which its time-out guarantees.

    Args:
        credentials_for: makes the role's credentials for an environment.
        endpoint: the local cloud, for the handler's boto3.
        work_directory: ``functions`` in it belongs to this runner, which empties it.
        max_environments: how many environments of a function are kept.
        idle_seconds: how long an unused environment is kept.
        hard_limit: how many environments of a function there may be.
        patience: see above.
        init_seconds: how long importing the code may take before it counts as part of the
            invocation.
        credential_seconds: how old credentials may get; must be less than their lifetime.
        clock: the time of day, by which credentials age and logs are stamped.
        clock_offset: how far that clock is ahead of the computer's, in seconds: the environments' are, too.
        adopts: whether this process has no children but environments, and may end what they leave.
    """

    def __init__(
        self,
        credentials_for: CredentialsFor,
        endpoint: str,
        work_directory: Path,
        *,
        max_environments: int = 8,
        idle_seconds: float = 300,
        hard_limit: int = 64,
        patience: float = 0.25,
        init_seconds: float = 10,
        credential_seconds: float = 11 * 3600,
        clock: Callable[[], float],
        clock_offset: Callable[[], float] = lambda: 0.0,
        adopts: bool = False,
    ) -> None:
        self._credentials_for = credentials_for
        self._endpoint = endpoint
        self._directory = work_directory / "functions"
        self._max_environments = max_environments
        self._idle_seconds = idle_seconds
        self._hard_limit = hard_limit
        self._patience = patience
        self._init_seconds = init_seconds
        self._credential_seconds = credential_seconds
        self._clock = clock
        self._clock_offset = clock_offset
        self._adopts = adopts
        self._lock = threading.Lock()
        self._spawning = threading.Lock()
        self._pools: dict[tuple[str, str], Pool] = {}
        self._environments: set[Environment] = set()
        self._code = CodeStore(self._directory / "code")
        self._numbers = itertools.count(1)
        self._prepared = False
        self._closing = threading.Event()

    def __call__(
        self, config: JsonObject, code_zip: bytes, event: Any, request_id: str, version: str
    ) -> JsonObject:
        """Invoke a function and wait for its answer.

        Args:
            config: the function's configuration, as in ``GetFunctionConfiguration``.
            code_zip: its deployment package.
            event: any JSON value.
            request_id: the invocation's.
            version: a version number or ``$LATEST``.

        Returns:
            ``{"body": <JSON value>, "log": str}``, with ``"error": True`` and ``"function_error":
            "Unhandled"`` when the function failed; then the body is AWS's error object. An event
            that isn't JSON (NaN is not) fails too.

        Raises:
            CloudUnavailableError: :meth:`close` was called.
        """
        configuration = Configuration.of(config, code_zip, version)
        if not configuration.runtime.startswith("python"):
            message = (
                f"The local cloud runs Python functions only, not {configuration.runtime}. "
                "Give the function a python3 runtime."
            )
            return failed({"errorMessage": message, "errorType": "Runtime.Unsupported"})
        try:
            event_text = json.dumps(event, allow_nan=False, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError) as error:
            message = f"Could not parse request body into json: {error}"
            return failed({"errorMessage": message, "errorType": "InvalidRequestContentException"})
        pool = self._pool(configuration)
        environment, unusable = pool.acquire(self._is_usable)
        for other in unusable:
            self._retire(other)
        deadline = None
        log = ""
        try:
            if environment is None:
                try:
                    environment, deadline, log = self._started(configuration, code_zip, request_id)
                finally:
                    pool.started()
            result = environment.invoke(
                event_text,
                request_id,
                str(config.get("FunctionArn", "")),
                deadline or now() + configuration.timeout,
            )
            result["log"] = log + result["log"]
            return result
        except FailedError as failure:
            if environment is not None:
                environment.reusable = False
            return failed(failure.body, log + failure.log)
        finally:
            if environment is not None and not environment.reusable:
                self._retire(environment)
                environment = None
            if not pool.release(environment) and environment is not None:
                self._retire(environment)

    def close(self) -> None:
        """End all environments and remove their files. Running invocations fail; later ones are refused."""
        self._closing.set()
        with self._lock:
            pools, environments = list(self._pools.values()), list(self._environments)
        for pool in pools:
            pool.close()
        kill_together(environments)
        for environment in environments:
            self._retire(environment, sweep=False)
        self._sweep()
        remove_tree(self._directory)

    # -- environments -----------------------------------------------------------------

    def _pool(self, configuration: Configuration) -> Pool:
        key = (configuration.function_arn, configuration.version)
        with self._lock:
            pool = self._pools.get(key)
            if pool is not None and pool.configuration == configuration:
                return pool
            replaced = pool
            pool = Pool(configuration, self._max_environments, self._hard_limit, self._patience)
            self._pools[key] = pool
            if self._closing.is_set():
                pool.close()
        if replaced is not None:
            for environment in replaced.replace():
                self._retire(environment)
        return pool

    def _is_usable(self, environment: Environment) -> bool:
        age = self._clock() - environment.created
        return (
            environment.is_alive() and environment.reusable and abs(age) < self._credential_seconds
        )

    def _started(
        self, configuration: Configuration, code_zip: bytes, request_id: str
    ) -> tuple[Environment, float | None, str]:
        """A new environment that has imported the function's code.

        Returns:
            It, the invocation's deadline if that runs already, and the output of a first attempt.

        Raises:
            FailedError: there is none.
        """
        environment = self._start(configuration, code_zip)
        try:
            environment.initialise(request_id, self._init_seconds)
            return environment, None, ""
        except TimedOutError:
            log = environment.last_words()
            self._retire(environment)
        except BaseException:
            self._retire(environment)
            raise
        # As on AWS: once more from the start, inside the function's own time-out.
        deadline = now() + configuration.timeout
        environment = self._start(configuration, code_zip)
        try:
            environment.initialise(request_id, configuration.timeout)
            return environment, deadline, log
        except TimedOutError:
            failure = environment.timed_out(request_id)
            failure.log = log + failure.log
            self._retire(environment)
            raise failure from None
        except BaseException:
            self._retire(environment)
            raise

    def _start(self, configuration: Configuration, code_zip: bytes) -> Environment:
        self._prepare()
        try:
            task_root = self._code.acquire(code_zip)
        except Exception as error:
            message = f"Lambda could not unzip the deployment package: {error}"
            raise FailedError(
                {"errorMessage": message, "errorType": "InvalidZipFileException"}
            ) from error
        temporary = self._directory / "tmp" / str(next(self._numbers))
        try:
            temporary.mkdir(parents=True, mode=0o700)
            created = self._clock()
            variables = environment_variables(
                configuration,
                self._credentials_for(configuration.role, configuration.name[:64]),
                self._endpoint,
                task_root,
                temporary,
                datetime.fromtimestamp(created, UTC),
            )
            with self._spawning:
                environment = Environment(
                    configuration,
                    variables,
                    task_root,
                    temporary,
                    created,
                    self._clock,
                    self._clock_offset,
                )
                with self._lock:
                    self._environments.add(environment)
        except BaseException as error:
            remove_tree(temporary)
            self._code.release(task_root)
            if isinstance(error, OSError | ValueError):
                message = f"The local cloud can't start a process for this function: {error}"
                raise FailedError(
                    {"errorMessage": message, "errorType": "ServiceException"}
                ) from error
            raise
        if self._closing.is_set():
            self._retire(environment)
        return environment

    def _retire(self, environment: Environment, *, sweep: bool = True) -> None:
        if environment.retire():
            with self._lock:
                self._environments.discard(environment)
            self._code.release(environment.task_root)
            if sweep:
                self._sweep()

    def _sweep(self) -> None:
        """End what an environment left that died: it is this process's child now."""
        if self._adopts:
            with self._spawning:
                with self._lock:
                    known = [environment.pid for environment in self._environments]
                kill_other_children(known)

    def _prepare(self) -> None:
        """Before the first environment: remove what a host that was killed left, and watch for idle ones."""
        if self._closing.is_set():
            raise CloudUnavailableError(STOPPED)
        with self._lock:
            if self._prepared:
                return
            if self._adopts:
                become_subreaper()
            remove_tree(self._directory)
            self._directory.mkdir(parents=True, mode=0o700)
            self._prepared = True
        threading.Thread(
            target=self._retire_idle, name="labkit-functions-idle", daemon=True
        ).start()

    def _retire_idle(self) -> None:
        while not self._closing.wait(min(30.0, self._idle_seconds / 4)):
            with self._lock:
                pools = list(self._pools.values())
            for pool in pools:
                for environment in pool.take_idle(now() - self._idle_seconds):
                    self._retire(environment)
