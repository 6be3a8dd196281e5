"""appops ...: the same as cmd appops"""

from service_appops import main  # type: ignore[import-not-found]  # noqa: F401
