"""The values a regulation fixes (規定値), read from its text for checks and duties (design §2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kitei.engine.checks.model import Provision
from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation.compose import provision_citations
from kitei.outcomes.regulation.source import Source


def read(source: Source) -> dict[str, Provision]:
    """Return every provision the text states, by key, each with the citation of the place that states it first.

    A value that is declared but that no sentence states is left out: nobody could read it, so it binds nobody.
    """
    cited = provision_citations(source)
    return {
        declared.key: Provision(declared.key, declared.value, declared.unit, cited[declared.key])
        for declared in source.provisions
        if declared.key in cited
    }


def names(source: Source) -> dict[str, str]:
    """Return the short Japanese name of every declared provision, by key."""
    return {declared.key: declared.name for declared in source.provisions}


def changed(source: Source, *, values: Mapping[str, int | str]) -> Source:
    """Return the source with other values: the draft of a revision (改定). UserError for a key it does not declare."""
    declared = {provision.key for provision in source.provisions}
    for key in values:
        if key not in declared:
            raise UserError(Message("規定値「%(key)s」は規程にありません。キーを確かめてください。", {"key": key}))
    return replace(
        source,
        provisions=tuple(
            replace(provision, value=values.get(provision.key, provision.value)) for provision in source.provisions
        ),
    )
