"""The teaching helpers of the API Gateway security course.

``labkit`` starts the lab, looks inside (a token, a signature, a burst, the way of a request) and checks.
Everything else in the notebooks is plain boto3 and requests.

This file parses on old Pythons on purpose, and imports nothing heavy: ``python3 -m labkit`` runs it before any
package is installed, so that it can say in one sentence what is missing.
"""

from importlib import import_module as _import_module

__version__ = "0.2.0"

_HOME_OF = {
    "start": "labkit.lab.session",
    "stop": "labkit.lab.session",
    "expect_status": "labkit.checks",
    "LabkitError": "labkit.errors",
    "predict": "labkit.widgets.question",
    "reveal": "labkit.widgets.question",
    "quiz": "labkit.widgets.quizzes",
    "recall": "labkit.widgets.quizzes",
    "explain": "labkit.doctor",
    "build": "labkit.course.build",
    "arrivals": "labkit.bursts.arrivals",
    "fire": "labkit.bursts.burst",
    "simulate": "labkit.bursts.simulation",
}
for _name in ("errors", "names", "plots", "retry", "sigv4", "throttle", "tokens", "widgets"):
    _HOME_OF[_name] = "labkit." + _name

__all__ = sorted({*_HOME_OF, "__version__"})


def __getattr__(name):  # type: ignore[no-untyped-def]
    """Import a public name from its module when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError("module 'labkit' has no attribute " + repr(name))
    module = _import_module(_HOME_OF[name])
    return module if _HOME_OF[name].endswith("." + name) else getattr(module, name)


def __dir__():  # type: ignore[no-untyped-def]
    return sorted(__all__)
