"""JupyterLab in the course's environment, however it is started: copies are laid, the AWS account is hidden.

``python3 -m labkit`` does both by itself. This is for `jupyter lab` in the environment of environment.yml and on
Binder; ``labkit/_bootstrap/data`` has the setting that the environment gets.
"""

from __future__ import annotations

from typing import Any

from labkit._bootstrap import hide_aws_account
from labkit.course.copies_folder import CopiesFolder
from labkit.errors import CopyError
from labkit.folders import COPIES, ROOT


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Do it before the first kernel starts; in a server for another folder no copies are laid."""
    hide_aws_account()
    if str(ROOT) == server.root_dir:
        try:
            CopiesFolder(ROOT, tell=server.log.warning).lay()
            server.log.info(f"Your notebooks are in {ROOT / COPIES}.")
        except CopyError as error:
            server.log.warning(str(error))
