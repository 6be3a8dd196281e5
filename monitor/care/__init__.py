"""Care for the personal data that a recording holds: copies that may be given away."""

from monitor.care.sharing import Shared, shared

__all__ = ["Shared", "shared"]
