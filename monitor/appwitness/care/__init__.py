"""Protects the personal data in recordings: copies for sharing, and permanent removal."""

from appwitness.care.forgetting import ToForget, to_forget
from appwitness.care.sharing import Shared, shared

__all__ = ["Shared", "ToForget", "shared", "to_forget"]
