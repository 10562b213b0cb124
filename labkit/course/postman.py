"""Writes the Postman environment of task 6: the variables of its collection, filled for the cloud in use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from labkit.errors import SetupError
from labkit.whole_file import write_whole

ENVIRONMENT_FILE = "task-6.postman_environment.json"
_SECRETS = {"labkit_token"}
"""Variables that Postman shows as dots."""


def write_environment(cloud: str, variables: Mapping[str, str], folder: Path) -> Path:
    """Write the file beside the collection, readable for this user alone; an older one is replaced.

    Args:
        cloud: the cloud's name, for the environment's own name.
        variables: those of the collection that the cloud tells.
        folder: where the notebook is.

    Raises:
        SetupError: it can't be written.
    """
    values = [
        {
            "key": name,
            "value": value,
            "type": "secret" if name in _SECRETS else "default",
            "enabled": True,
        }
        for name, value in variables.items()
    ]
    environment = {
        "name": f"API Gateway security, task 6, {cloud}",
        "values": values,
        "_postman_variable_scope": "environment",
    }
    path = folder / ENVIRONMENT_FILE
    try:
        write_whole(path, json.dumps(environment, indent=2).encode(), mode=0o600)
    except OSError as error:
        raise SetupError(
            f"Can't write {ENVIRONMENT_FILE} beside this notebook ({error.strerror}): open a copy of the notebook in a "
            "folder that you may write."
        ) from None
    return path
