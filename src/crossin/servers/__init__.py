"""Asking an OpenAI-compatible server: many calls at once, patiently, within its limits."""

from crossin.servers.call import Call, Usage, price, rough_tokens, tokens_used
from crossin.servers.client import Server
from crossin.servers.refusals import Refused

__all__ = ["Call", "Refused", "Server", "Usage", "price", "rough_tokens", "tokens_used"]
