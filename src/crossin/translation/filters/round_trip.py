"""A gate that costs as much as translating: there and back again, and how like the source that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossin.core.extras import require
from crossin.translation.asking import Dated, Wanted, Work
from crossin.translation.cutting import By, cut, put_together
from crossin.translation.engine import Ask

TextPair = tuple[Mapping[str, str], Mapping[str, str]]


def round_trip(pairs: Sequence[TextPair], source: str, target: str, by: By) -> Work[list[float]]:
    """chrF (0..100, Popović 2015, by sacrebleu) of each source, its fields joined, and its translation put
    back into the source's language; 0 where the engine gave nothing back.
    """
    require("text", "sacrebleu")
    from sacrebleu.metrics import CHRF

    cuts = [cut(translated, target, source, by, 0, {}) for _, translated in pairs]
    answers: dict[Ask, Dated] = {}
    yield Wanted(list(dict.fromkeys(ask for one in cuts for ask in one.asks)), answers.__setitem__)
    chrf, figures = CHRF(), []
    for (original, _), one in zip(pairs, cuts, strict=True):
        back, _ = put_together(one, [answers[ask].answer for ask in one.asks])
        reference = "\n".join(text for text in original.values() if text)
        figures.append(
            0.0
            if back is None
            else float(chrf.sentence_score("\n".join(filter(None, back.values())), [reference]).score)
        )
    return figures
