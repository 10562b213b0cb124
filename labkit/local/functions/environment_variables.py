"""The environment variables of an execution environment: AWS's, the function's own, and nothing of this process's."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from labkit.local.functions.configuration import Configuration

RESERVED_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html: a function can't set these."""


def environment_variables(
    configuration: Configuration,
    credentials: Mapping[str, str],
    endpoint: str,
    task_root: Path,
    temporary: Path,
    day: datetime,
) -> dict[str, str]:
    """All environment variables of an environment.

    Args:
        configuration: the function's; its own variables are in it.
        credentials: its role's, as variables.
        endpoint: the local cloud, for the handler's boto3.
        task_root: the unpacked deployment package.
        temporary: the environment's own directory.
        day: when it starts.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    own = {
        "AWS_ENDPOINT_URL": endpoint,
        "HOME": str(temporary),
        "LANG": "en_US.UTF-8",
        "TMPDIR": str(temporary),
        "TZ": ":UTC",
    }
    if sys.platform == "win32":
        root = os.environ.get("SYSTEMROOT", r"C:\Windows")
        own |= {
            "PATH": rf"{root}\System32;{root}",
            "SYSTEMROOT": root,  # without it Windows starts no Python
            "TEMP": str(temporary),
            "TMP": str(temporary),
            "TZ": "UTC",
        }
    else:
        own["PATH"] = f"{os.path.dirname(sys.executable)}:/usr/local/bin:/usr/bin:/bin"
    given = {k: str(v) for k, v in configuration.variables if k.upper() not in RESERVED_VARIABLES}
    return {
        **own,
        **given,
        "AWS_DEFAULT_REGION": configuration.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": configuration.name,
        "AWS_LAMBDA_FUNCTION_VERSION": configuration.version,
        "AWS_LAMBDA_LOG_GROUP_NAME": configuration.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{day:%Y/%m/%d}/[{configuration.version}]{secrets.token_hex(16)}",
        "AWS_REGION": configuration.region,
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": configuration.handler,
        **credentials,
    }
