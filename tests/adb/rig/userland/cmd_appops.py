"""appops ...: the same as cmd appops"""

from service_appops import main  # noqa: F401
