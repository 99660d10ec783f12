"""How high a job is, by the words of its title: a title itself may tell who somebody is, its level does not."""

import re
from typing import Literal

Level = Literal["executive", "vice president", "director", "manager", "other"]

#: words of titles, in English, German, French, Spanish and Swedish; the first level that has one counts
_LEVELS: dict[Level, str] = {
    "vice president": r"vice.?president\w*|[se]?vp|vizepräsident\w*|vice.?président\w*|vicepresident\w*|vice vd",
    "executive": r"chief|c[efistmor]o|ciso|cmo|president|owner|founder|geschäftsführer\w*|vorstand\w*|inhaber\w*|pdg"
    r"|président\w*|directeur général|directrice générale|director general|directora general|vd|verkställande direktör",
    "director": r"director\w*|head|leiter\w*|direktor\w*|direct(?:eur|rice)|direktör|avdelningschef",
    "manager": r"manager\w*|lead|supervisor|team\w*leiter\w*|chef\w*|\w*chef|responsable|gerente|jefe|jefa|ansvarig",
}
_WORDS = {level: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for level, words in _LEVELS.items()}


def level_of(title: object) -> Level | None:
    """The level of a job title; None where there is no title."""
    if not isinstance(title, str) or not title.strip():
        return None
    return next((level for level, words in _WORDS.items() if words.search(title)), "other")
