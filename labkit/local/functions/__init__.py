"""Runs Lambda functions: a process is an execution environment, warm ones are kept, and what AWS limits is limited.

The inside of such a process is ``runtime.py``. It gets the environment variables that AWS
would give it and nothing of this process's: no variable, no open file, no credentials but those of
the function's own role.

As on AWS an environment serves one invocation at a time, keeps its modules and global variables for
the next one, and is replaced when it times out, ends, or when the function's code or configuration
changes. Unlike AWS, Python is the one that labkit runs on, whatever ``Runtime`` says, and layers
aren't mounted.
"""

from labkit.local.functions.runner import FunctionRunner

__all__ = ["FunctionRunner"]
