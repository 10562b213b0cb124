"""The one seam to MiniStack, which serves the AWS control planes; nothing outside of this package imports it.

MiniStack (MIT) runs inside this process. What it can't do or does otherwise than AWS is done in front of it, by the
other files of labkit.local; what they need from it is a method of :class:`Engine`. ``AUTH=true`` makes it verify the
Signature v4 and the IAM policies of IAM users and roles; it takes a few access keys for root without looking at the
signature (``test``, any account id, its own), so the cloud's own key is verified in ``signatures.py``, and
``access.py`` refuses the others.
"""

from labkit.local.engine.cognito import UserPoolAnswer, UserPoolOperation
from labkit.local.engine.functions import Functions
from labkit.local.engine.http_apis import HttpApiRecords
from labkit.local.engine.iam import Iam
from labkit.local.engine.identity_pools import IdentityPools
from labkit.local.engine.ministack import JsonObject
from labkit.local.engine.policy_corrections import PolicyCorrections
from labkit.local.engine.rest_apis import RestApiRecords
from labkit.local.engine.usage_plans import UsagePlanRecords
from labkit.local.engine.user_pools import UserPools

__all__ = ["Engine", "JsonObject", "UserPoolAnswer", "UserPoolOperation"]


class Engine(
    PolicyCorrections,
    Iam,
    RestApiRecords,
    UsagePlanRecords,
    HttpApiRecords,
    Functions,
    UserPools,
    IdentityPools,
):
    """MiniStack in this process: the whole seam.

    One engine a process: MiniStack's state is in its modules.

    Args:
        settings: the cloud's port, credentials and account.
    """

    def start(self) -> None:
        """Configure, import and correct MiniStack (about 0.2 s).

        No port is opened here, and nothing is written outside the cloud's work directory.
        """
        super().start()
        self.correct_policies()
        self.end_sessions_with_their_roles()
