"""`python -m crossin`: the command line, as `torchrun -m crossin` starts it."""

from crossin.cli.main import run

run()
