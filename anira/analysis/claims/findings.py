"""What we claim ourselves, and claims of the paper that are amended: asked again, because the one first declared asked something else.

A new claim is one `Claim` here, under a heading of `PARTS`, with a measure of `anira.analysis.claims.measures`. An amended
one has also `amended`, why it was added after the numbers were known, and `instead_of`, the id of the claim first declared.
"""

from anira.analysis.claims.claim import Claim

PARTS: dict[str, tuple[Claim, ...]] = {}
