"""Requests to OpenAI-compatible servers, within limits and a budget.

    settings = ServerSettings(base_url="http://localhost:8000/v1", requests_per_minute=500)
    async with Server(settings, accounting=out / USAGE) as server:
        answer = await server.request(ServerRequest("chat/completions", body, prompt_tokens=120))
    server.usage  # requests, retries, tokens and cost, of all processes with this accounting

`request` raises Refused where the server gives no answer (after all retries; `status` is the HTTP status or
None), and BudgetSpent; both are CrossinErrors. When one fails for good: `server.stop()` cancels the requests
that are not in flight, and `await asyncio.gather(*tasks, return_exceptions=True)` lets the others end, so
that no answer that is paid for is lost. The server merges `settings.body` into every request.

With an `accounting` file (`crossin.core.formats.USAGE`, in the run's folder) all processes that name it share
one budget and one rate limit, and usage is summed over them, also after a kill:
`Accounting(settings, path).usage`. Callers that are not async use `request_all(settings, requests)`
(`request_each` goes on where one request fails), or run a coroutine of theirs with `running_loop()`, which
also works in notebooks. `settings.cost(prompt, completion)` gives a price, `rough_tokens(text)` an estimate,
`tokens_used(answer)` the server's own count.
"""

from crossin.servers.accounting import Accounting, BudgetSpent
from crossin.servers.client import Server, check_client
from crossin.servers.keys import KeyPlace, key_of
from crossin.servers.requests import ServerRequest, Usage, rough_tokens, tokens_used
from crossin.servers.responses import Refused
from crossin.servers.settings import ServerSettings
from crossin.servers.threaded import request_all, request_each, running_loop

__all__ = [
    "Accounting",
    "BudgetSpent",
    "KeyPlace",
    "Refused",
    "Server",
    "ServerRequest",
    "ServerSettings",
    "Usage",
    "check_client",
    "key_of",
    "request_all",
    "request_each",
    "rough_tokens",
    "running_loop",
    "tokens_used",
]
