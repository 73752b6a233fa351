"""How near the languages lie inside a model, layer by layer."""

from crossin.probing.run import probe

__all__ = ["probe"]
