"""From result files to what people read: a table, figures with intervals, a page with every question."""

from crossin.report.load import Results, load
from crossin.report.make import Report, report
from crossin.report.summary import Summary, summarize, to_json
from crossin.report.table import as_rich, markdown

__all__ = [
    "Report",
    "Results",
    "Summary",
    "as_rich",
    "load",
    "markdown",
    "report",
    "summarize",
    "to_json",
]
