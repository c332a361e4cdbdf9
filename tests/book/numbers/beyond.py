"""Chapter 09-beyond."""

from anira.analysis.policies import matched_uniform
from tests.book.numbers.tables import points, policies, spent

HELD = [
    ("ahead by {} percentage point of exact match [{}, {}]", lambda: points("early-one-number")),
    ("worth {:.1f} points over one depth", lambda: [100 * matched_uniform(policies()).set_index("decider")["difference"]["online"]]),
    ("would need {:.1f} iterations where online takes {:.1f}", lambda: [spent(policy, "depth") for policy in ("oracle", "chosen")]),
]
