"""What an execution environment of a function is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an environment is made of: when any of it changes, new ones are made."""

    function_arn: str
    version: str
    name: str
    runtime: str
    handler: str
    timeout: float
    memory_size: int
    role: str
    region: str
    log_group: str
    code_hash: str
    revision: str
    variables: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, config: JsonObject, code_zip: bytes, version: str) -> Configuration:
        """From a function's record (as in ``GetFunctionConfiguration``), its package and its version."""
        # An alias or a version at the end of the ARN is how this caller named the function.
        arn_parts = str(config.get("FunctionArn", "")).split(":")[:7]
        name = str(config.get("FunctionName", ""))
        return cls(
            function_arn=":".join(arn_parts),
            version=version,
            name=name,
            runtime=str(config.get("Runtime") or "python3.13"),
            handler=str(config.get("Handler", "")),
            timeout=float(config.get("Timeout") or 3),
            memory_size=int(config.get("MemorySize") or 128),
            role=str(config.get("Role", "")),
            region=arn_parts[3] if len(arn_parts) > 3 else "us-east-1",
            log_group=(config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}",
            code_hash=str(config.get("CodeSha256") or hashlib.sha256(code_zip).hexdigest()),
            revision=str(config.get("RevisionId", "")),
            variables=tuple(
                sorted(((config.get("Environment") or {}).get("Variables") or {}).items())
            ),
        )
