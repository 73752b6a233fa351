"""The start of the command line, by its name or as `python -m crossin`, as `torchrun -m crossin` does."""

import os
import signal
import sys
from types import FrameType

_NOTHING_SAVED = "stopped; nothing was saved"


def main() -> None:
    """Load and run the command line. An interrupt while it is loaded ends the process without a traceback."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is handler:
            signal.signal(number, _end)
    try:
        from crossin.cli.main import run
    except KeyboardInterrupt:
        print(_NOTHING_SAVED, file=sys.stderr)
        sys.exit(130)
    run()


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    # Exceptions in the middle of an import may become others.
    os.write(2, f"{_NOTHING_SAVED}\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    main()
