"""Care for the personal data that a recording holds: copies that may be given away, and forgetting."""

from appwitness.care.forgetting import ToForget, to_forget
from appwitness.care.sharing import Shared, shared

__all__ = ["Shared", "ToForget", "shared", "to_forget"]
