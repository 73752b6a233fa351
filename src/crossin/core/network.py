"""Certificates that every connection of ours trusts, whichever library makes it."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from crossin.core.errors import CrossinError

# A file of certificates, or a folder of them. Libraries of requests read the first two, OpenSSL the others.
_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def certificates() -> ssl.SSLContext | None:
    """What to trust: the certificates of all the environment's variables that name some; None where none
    does, and each library has its own.

    Raises CrossinError where the first of them names nothing that can be read.
    """
    named = {name: Path(value) for name in _VARIABLES if (value := os.environ.get(name))}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    loaded = False
    for name, path in named.items():
        try:
            if path.is_dir():
                context.load_verify_locations(capath=path)
            else:
                context.load_verify_locations(cafile=path)
            loaded = True
        except OSError as error:
            # OpenSSL skips a missing file, and SSL_CERT_FILE is often set for all programs of a machine.
            if name.startswith("SSL_"):
                continue
            raise CrossinError(
                f"the certificates of {name} cannot be read",
                file=path,
                hint=f"correct or unset the variable {name}",
            ) from error
    return context if loaded else None


def use_certificates_for_hub() -> None:
    """Have the hub's library trust `certificates`, too: its client knows SSL_CERT_FILE alone."""
    from huggingface_hub import get_session, set_client_factory

    context = certificates()
    if context is None:
        return
    client = get_session()
    kind, hooks, timeout = type(client), client.event_hooks, client.timeout
    set_client_factory(
        lambda: kind(verify=context, event_hooks=hooks, follow_redirects=True, timeout=timeout)
    )
