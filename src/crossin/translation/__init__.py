"""Turning rows of one language into rows of another, safely."""

from crossin.translation.run import translate

__all__ = ["translate"]
