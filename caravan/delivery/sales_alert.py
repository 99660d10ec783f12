"""The built-in template of sales alerts: facts first, for a salesperson who reads it on a phone.

HTML and text lie beside this file; in the HTML everything that comes from data is escaped.
"""

from pathlib import Path

from caravan.delivery.compose import CompiledTemplate
from caravan.delivery.liquid import LiquidText
from caravan.journeys.templates import TemplateDocument

_HERE = Path(__file__).parent
_HTML = (_HERE / "sales_alert.html").read_text(encoding="utf-8")
_TEXT = (_HERE / "sales_alert.txt").read_text(encoding="utf-8")

TEMPLATE = CompiledTemplate(
    TemplateDocument(
        email="sales-alert",
        subject="{{ account }}: buying group {{ solution_interest }}, {{ completeness }} % complete, engagement {{ engagement }}",
        operational=True,
        body=_HTML,
        format="html",
    ),
    LiquidText.html(_HTML),
    LiquidText.text_alternative(_TEXT),
)
