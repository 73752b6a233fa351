"""Asking an OpenAI-compatible server: many calls at once, patiently, within its limits."""

from crossin.models.server.call import Call, Usage, price, rough_tokens, tokens_used
from crossin.models.server.client import Server
from crossin.models.server.refusals import Refused

__all__ = ["Call", "Refused", "Server", "Usage", "price", "rough_tokens", "tokens_used"]
