"""The verdicts on all claims, which several tests ask for and which take a while."""

import pandas as pd
import pytest

from anira.analysis.claims import verdicts


@pytest.fixture(scope="session")
def judged() -> pd.DataFrame:
    return verdicts()
