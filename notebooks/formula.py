"""Formulas as MathML."""

import html
import re

from latex2mathml.converter import convert

TAG = re.compile(r"\\tag\{([^}]*)\}")


def formula(latex, block):
    """A formula in MathML, numbered where it has a \\tag. One that is not understood whole is an error."""
    number = TAG.search(latex)
    body = TAG.sub("", latex).strip()
    drawn = convert(body, display="block" if block else "inline")
    if "\\" in html.unescape(re.sub(r"<[^>]+>", "", drawn)):
        raise ValueError(f"this formula cannot be written as MathML: {body}")
    if not block:
        return drawn
    label = f'<span class="number">({number.group(1)})</span>' if number else ""
    return f'<span class="formula"><span>{drawn}</span>{label}</span>'
