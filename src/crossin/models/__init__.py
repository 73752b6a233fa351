"""Getting a model by name: a built-in one, a hub id, or a local folder."""

from crossin.models.catalogue import BUILT_IN, BuiltIn
from crossin.models.download import pull

__all__ = ["BUILT_IN", "BuiltIn", "pull"]
