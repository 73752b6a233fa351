"""From evaluation folders to what people read: a table, figures with intervals, a page of questions."""

from crossin.reports.make import Report, report
from crossin.reports.results import Results, load
from crossin.reports.summary import Summary, summarize, to_json
from crossin.reports.table import as_rich, markdown

__all__ = ["Report", "Results", "Summary", "as_rich", "load", "markdown", "report", "summarize", "to_json"]
