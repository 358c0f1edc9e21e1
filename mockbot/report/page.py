"""A judged run in, `report.html` out: one file that works without a network, on a phone and on paper.

The page shows the numbers of `summary.json` and computes none. Everything that came from a scenario, a client or a
server is escaped: by Jinja in the page, by `tojson` in its data, and by `figures.plain` where Plotly reads markup. Its
content security policy lets it load nothing.
"""

import base64
import gzip
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mockbot.evidence.verdict import JudgedRun
from mockbot.measures.outages import WorstOutage
from mockbot.measures.table import TABLE, shown
from mockbot.measures.text import format_value
from mockbot.measures.values import Undefined
from mockbot.report.both_sides import both_sides_table
from mockbot.report.charts import charts
from mockbot.report.executive_summary import executive_summary
from mockbot.report.figures import Chart
from mockbot.report.phrases import fault_text
from mockbot.units.formatting import format_clock, format_count, format_duration, format_share
from mockbot.units.quantities import duration_text

TEMPLATES = Path(__file__).with_name("templates")
NO_CHARTS = "no chart is drawn without Plotly: pip install 'mockbot[charts]'"


def report_html(run: JudgedRun) -> str:
    """The whole page; the same bytes for the same run."""
    judgement, whole = run.judgement, run.judgement.measures[0].values
    return render(
        "report.html.j2",
        charts(run),
        summary=judgement,
        story=executive_summary(judgement),
        rows=list(judgement.rows_by_phase()),
        others=[row for row in judgement.measures if row.scope.tier is not None or row.scope.provider is not None],
        columns=[measure for measure in TABLE.values() if {"column", "narrow"} & {*measure.shown}],
        tiles=[measure for measure in shown("tile") if not isinstance(whole[measure.name], Undefined)],
        measures=[TABLE[name] for name in whole],
        outage_measures=[measure for measure in TABLE.values() if isinstance(measure.formula, WorstOutage)],
        fault_texts={span.id: fault_text(span) for span in run.evidence.timeline.faults},
        scenario=run.evidence.scenario,
        sides=both_sides_table(judgement.system) if judgement.system is not None else None,
        data=judgement.data(),
    )


def render(template: str, drawn: Sequence[Chart], **values: object) -> str:
    """A page of `templates/` with its charts and the script that draws them."""
    return render_plain(
        template,
        **values,
        charts=drawn,
        figures={chart.id: chart.figure for chart in drawn},
        plotly=plotly_bundle(),
        no_charts=NO_CHARTS,
        script=(TEMPLATES / "report.js").read_text("utf-8"),
    )


def render_plain(template: str, **values: object) -> str:
    """A page of `templates/` with its style inside it, without charts."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": format_clock,
        "thousands": format_count,
        "duration": format_duration,
        "exact_duration": duration_text,
        "moment": lambda t: "-" if t is None else format_clock(t, 1),
        "share": format_share,
    }
    environment.globals["format_value"] = format_value
    css = (TEMPLATES / "report.css").read_text("utf-8")
    return environment.get_template(template).render(values, css=css)


@cache
def plotly_bundle() -> str | None:
    """Plotly's script, gzipped, in base64: the page is 2 MB instead of 5 MB, and the browser unpacks it.

    None where the extra `charts` is not installed: every page then has its tables, and NO_CHARTS in the charts' place.
    """
    try:
        source = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    except ModuleNotFoundError:
        return None
    return base64.b64encode(gzip.compress(source, 9, mtime=0)).decode()
