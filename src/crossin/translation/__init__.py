"""Translates rows of one language into parallel rows of others, and checks them."""

from crossin.translation.config import TranslateConfig
from crossin.translation.run import translate

__all__ = ["TranslateConfig", "translate"]
