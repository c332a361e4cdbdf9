"""Figures of training: what is learned when."""

import altair as alt
import pandas as pd


def learning_curves(frame: pd.DataFrame) -> alt.Chart:
    """Exact match over training steps, one line a size; columns step, size, exact_match and run (one panel each)."""
    return (
        alt.Chart(frame)
        .mark_line()
        .encode(
            x=alt.X("step:Q", title="optimizer step"),
            y=alt.Y("exact_match:Q", title="exact match", scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("size:O", title="size"),
            column=alt.Column("run:N", title=None),
            tooltip=["run:N", "step:Q", "size:O", alt.Tooltip("exact_match:Q", format=".2f")],
        )
        .properties(width=260, height=220, description="Exact match over training steps for each size, one panel a run.")
    )
