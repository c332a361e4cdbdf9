"""Figures of the tasks: instances, and the difficulty that they produce."""

import json

import altair as alt
import pandas as pd

from anira.analysis.words import feature as in_words
from anira.charts.figure import figure
from anira.charts.style import GREY, by_decider, hollow_unless, panel_title

NEXT, DONE, OPEN, AHEAD = "#BF5000", "#0072B2", "#56B4E9", "#D3E6F5"  # of what is done step by step


@figure
def search_steps(nodes: pd.DataFrame, edges: pd.DataFrame, features: list[str]) -> alt.LayerChart:
    """Graphs whose nodes fill as the search emits them: sliders for size and step, a menu for the feature beside each node.

    Args:
        nodes: size · name · x, y in 0..1 with y pointing down · at and closes, the step at which it is emitted, and
            opens, that at which the search first lists it, NaN if never · role, "query", "not needed" or None · one
            column per feature · and, where there are several kinds of graph, graphs, which a menu chooses from.
        edges: size and graphs likewise · x, y, x2, y2 of each arrow · angle in degrees clockwise from pointing
            right · xm, ym, where its head is drawn.
        features: the columns that the menu offers.
    """
    heads = alt.Chart(edges).mark_point(shape="triangle-right", size=90, color=GREY, opacity=1)
    heads = heads.encode(x=alt.X("xm:Q", axis=None), y=alt.Y("ym:Q", axis=None), angle=alt.Angle("angle:Q", scale=None))
    states = {"query": "#E69F00", "written down": DONE, "next": NEXT, "listed": OPEN, "needed": AHEAD, "not needed": "#c9ccd1"}
    description = "A dependency graph; the nodes that the query depends on are filled in the order in which the answer lists them."
    return _steps(
        nodes, edges, [heads], features, states, closed="written down", opened="listed", ahead="needed", step="nodes written down ", knob="nodes N "
    ).properties(description=description)


@figure
def tree_steps(
    nodes: pd.DataFrame, edges: pd.DataFrame, features: list[str], *, ahead: str, opened: str, closed: str, knob: str, start: int | None = None
) -> alt.LayerChart:
    """Trees that are read token by token: sliders for size and step, a menu for the feature beside each token.

    Args:
        nodes, edges: as for `search_steps`, without role, angle, xm and ym: at is the step at which a token is read,
            opens that at which a node begins, closes that of the last token below it. From then on a node shows its
            value instead of its name, if it has one.
        features: the columns that the menu offers.
        ahead, opened, closed: what to call the states of a node.
        knob: what the slider for the size is called.
        start: the size shown first; one in the middle if not given.
    """
    states = {closed: DONE, "next": NEXT, opened: OPEN, ahead: AHEAD}
    description = "A tree whose tokens are read from left to right; its nodes fill as they are begun and completed."
    return _steps(nodes, edges, [], features, states, closed=closed, opened=opened, ahead=ahead, step="tokens read ", knob=knob, start=start).properties(
        description=description
    )


def _steps(nodes, edges, heads, features, states, *, closed, opened, ahead, step, knob, start=None) -> alt.LayerChart:
    sizes = nodes["size"]
    start = start or sorted(sizes.unique())[sizes.nunique() // 2]
    params = [
        alt.param(name="size", value=int(start), bind=alt.binding_range(min=int(sizes.min()), max=int(sizes.max()), step=1, name=knob)),
        alt.param(name="step", value=0, bind=alt.binding_range(min=0, max=int(nodes["at"].max()) + 1, step=1, name=step)),
        alt.param(
            name="feature", value=features[0], bind=alt.binding_select(options=features, labels=[*map(in_words, features)], name="number beside a node ")
        ),
    ]
    chosen = "datum.size == size"
    if "graphs" in nodes:
        kinds = list(nodes["graphs"].unique())
        params.insert(0, alt.param(name="graphs", value=kinds[0], bind=alt.binding_select(options=kinds, name="graphs ")))
        chosen += " && datum.graphs == graphs"
    x, y = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.08, 1.08])), alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[1.14, -0.1]))
    lines = alt.Chart(edges).mark_rule(color=GREY, strokeWidth=1.5).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    state = f"isValid(datum.role) ? datum.role : datum.at === step ? 'next' : datum.closes < step ? '{closed}' : datum.opens <= step ? '{opened}' : '{ahead}'"
    label = "isValid(datum.value) && datum.closes < step ? datum.value : datum.name"
    marks = (
        alt.Chart(nodes)
        .transform_filter(chosen)
        .transform_calculate(state=state, label=label, number="isValid(datum[feature]) ? format(datum[feature], '.4~g') : ''")
    )
    marks = marks.encode(x=x, y=y)
    color = alt.Color(
        "state:N",
        title=None,
        scale=alt.Scale(domain=list(states), range=list(states.values())),
        legend=alt.Legend(orient="top", columns=3 if len(states) > 4 else 2),
    )
    numbered = [alt.Tooltip(f"{feature}:Q", title=in_words(feature)) for feature in features]
    circles = marks.mark_circle(size=750, opacity=1, stroke=GREY, strokeWidth=1.5).encode(
        color=color, tooltip=[alt.Tooltip("label:N", title="name"), "state:N", *numbered]
    )
    dark = f"datum.state == '{closed}' || datum.state == 'next'"
    names = marks.mark_text(fontSize=14, fontWeight="bold").encode(text="label:N", color=alt.condition(dark, alt.value("white"), alt.value("#1b1e23")))
    numbers = marks.mark_text(fontSize=12, dy=23).encode(text="number:N")
    arrows = [layer.transform_filter(chosen) for layer in (lines, *heads)]
    return alt.LayerChart(layer=[*arrows, circles, names, numbers]).add_params(*params).properties(width=620, height=300)


@figure
def hops(frame: pd.DataFrame) -> alt.LayerChart:
    """The hops of a query over the list of edges, one below the other; a slider sets how many.

    `frame`: one row per edge of the list: place, edge · hop at which it is used, NaN if it is not, and then node, where the hop
    ends, before, the place of the hop before, and readings and travel so far.
    """
    most = int(frame["hop"].max())
    slider = alt.param(name="k", value=min(3, most), bind=alt.binding_range(min=1, max=most, step=1, name="hops k "))
    x = alt.X("place:Q", axis=None, scale=alt.Scale(domain=[0.4, len(frame) + 0.6]))
    y = alt.Y("hop:Q", axis=None, scale=alt.Scale(domain=[most + 1.6, -0.4]))
    used = alt.Chart(frame).transform_filter("isValid(datum.hop) && datum.hop <= k")
    listed = alt.Chart(frame).transform_calculate(hop="0").mark_text(fontSize=13).encode(x=x, y=y, text="edge:N")
    moves = used.transform_filter("isValid(datum.before)").transform_calculate(
        previous="datum.hop - 1", direction="datum.place < datum.before ? 'back: one more reading' : 'on, in the same reading'"
    )
    directions = alt.Scale(domain=["on, in the same reading", "back: one more reading"], range=[DONE, NEXT])
    color = alt.Color("direction:N", title=None, scale=directions, legend=alt.Legend(orient="top", direction="vertical"))
    lines = moves.mark_rule(strokeWidth=2.5).encode(x=alt.X("before:Q", axis=None), x2="place:Q", y=alt.Y("previous:Q", axis=None), y2="hop:Q", color=color)
    points = used.mark_circle(size=550, opacity=1, color=OPEN, stroke=GREY, strokeWidth=1.5).encode(
        x=x, y=y, tooltip=["hop:Q", "edge:N", alt.Tooltip("readings:Q", title="readings so far"), alt.Tooltip("travel:Q", title="edges of travel so far")]
    )
    names = used.mark_text(fontSize=13, fontWeight="bold", color="#1b1e23").encode(x=x, y=y, text="node:N")
    end = "datum.hop + ' hops end at ' + datum.node + ': ' + datum.readings + ' readings, ' + datum.travel + ' edges of travel'"
    summary = used.transform_filter("datum.hop == k").transform_calculate(text=end, middle=str((len(frame) + 1) / 2), bottom=str(most + 1))
    total = summary.mark_text(fontSize=13, fontWeight="bold").encode(x=alt.X("middle:Q", axis=None), y=alt.Y("bottom:Q", axis=None), text="text:N")
    description = "A list of edges, and below it one row per hop with the node that it leads to; a line leads from each hop to the next."
    return alt.LayerChart(layer=[listed, lines, points, names, total]).add_params(slider).properties(width=620, height=300, description=description)


@figure
def depth_by_place(frame: pd.DataFrame) -> alt.VConcatChart:
    """Iterations on each number of a list, by its place: one plot for each problem, a line for the longest lists and points for two shorter ones.

    `frame`: decider, problem, size, number (its place in the list, from 1), depth with depth_low and depth_high.
    """
    color, shape = by_decider(frame)
    short, _, long = sorted(frame["size"].unique())

    def panel(problem: str) -> alt.LayerChart:
        rows = frame[frame["problem"] == problem]
        tooltip = [alt.Tooltip(name) for name in ("decider:N", "size:O", "number:O")]
        tooltip += [alt.Tooltip(f"{name}:Q", format=".2f") for name in ("depth", "depth_low", "depth_high")]
        x = alt.X("number:O", title="place in the list", axis=alt.Axis(labelAngle=0))
        y = alt.Y("depth:Q", title="iterations", scale=alt.Scale(domain=[1, 6]))
        base = alt.Chart(rows).encode(x=x, y=y, color=color, tooltip=tooltip)
        line = base.transform_filter(f"datum.size == {long}").mark_line(strokeWidth=1.5)
        points = base.transform_filter(f"datum.size < {long}").mark_point(filled=False, size=45, strokeWidth=1.5)
        points = points.encode(shape=shape, **hollow_unless(f"datum.size == {short}", color))
        return alt.LayerChart(layer=[line, points]).properties(width=480, height=130, title=panel_title(problem))

    description = "Mean iterations on each number of a list over its place in the list, by decider and problem; lists of three lengths."
    return alt.vconcat(*map(panel, frame["problem"].unique()), description=description)


@figure
def distribution_by_size(frame: pd.DataFrame, features: list[str]) -> alt.Chart:
    """How a feature's values are distributed at each size, as a heat map; a menu chooses the feature.

    `frame`: long form with columns feature, size, value (or the lowest of a bin) and share of the size's tokens; and, where there
    are several kinds of graph, graphs, which a menu of its own chooses from. `features`: those that the menu offers.
    """
    words = [*map(in_words, features)]
    params = [alt.param(name="feature", value=features[0], bind=alt.binding_select(options=features, labels=words, name="difficulty "))]
    chosen = "datum.feature == feature"
    if "graphs" in frame:
        kinds = list(frame["graphs"].unique())
        params.insert(0, alt.param(name="graphs", value=kinds[0], bind=alt.binding_select(options=kinds, name="graphs ")))
        chosen += " && datum.graphs == graphs"
    return (
        alt.Chart(frame)
        .add_params(*params)
        .transform_filter(chosen)
        .mark_rect()
        .encode(
            x=alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("value:O", title=None, sort="descending"),
            color=alt.Color("share:Q", title="share of tokens", scale=alt.Scale(domainMin=0)),
            tooltip=["size:O", "value:O", alt.Tooltip("share:Q", format=".3f")],
        )
        .properties(
            width=420,
            title=alt.TitleParams(alt.expr(f"{json.dumps(dict(zip(features, words, strict=True)))}[feature]")),  # what the values are, as the menu has it
            description="How often each value of a difficulty occurs among the tokens, for each size of the instance.",
        )
    )


@figure
def settling(numbers: pd.DataFrame, questions: pd.DataFrame) -> alt.LayerChart:
    """When each number of an answer is settled: a menu for the problem, a slider for the size.

    `numbers`: problem, size · element, its place in the answer · number, as it is written · settled, the step from which on it keeps
    its value · steps, those of the algorithm. `questions`: problem, size and the text of question and answer with line breaks.
    """
    problems, sizes = list(questions["problem"].unique()), questions["size"]
    menu = alt.param(name="problem", value=problems[0], bind=alt.binding_select(options=problems, name="algorithm "))
    slider = alt.param(name="size", value=5, bind=alt.binding_range(min=int(sizes.min()), max=int(sizes.max()), step=1, name="size n "))
    chosen = "datum.problem == problem && datum.size == size"
    heights = {
        name: {str(size): text.count("\n") + 1 for size, text in zip(rows["size"], rows["text"], strict=True)} for name, rows in questions.groupby("problem")
    }
    lines = alt.param(name="lines", expr=f"{json.dumps(heights)}[problem][size]")
    places = alt.Axis(format="d", tickMinStep=1, grid=False)
    x = alt.X("element:Q", title="number of the answer, from the left", axis=places, scale=alt.Scale(padding=20, nice=False))
    steps = alt.Axis(values=alt.ExprRef("sequence(domain('y')[1] + 1)"), format="d", minExtent=26)  # room for two digits, whatever is shown first
    y = alt.Y("settled:Q", title="step at which it is settled", axis=steps, scale=alt.Scale(range=[340, alt.ExprRef("15 * lines + 36")], nice=True))
    points = (
        alt.Chart(numbers)
        .transform_filter(chosen)
        .encode(x=x, y=y, tooltip=["element:Q", "number:N", "settled:Q", alt.Tooltip("steps:Q", title="steps of the algorithm")])
    )
    asked = alt.Chart(questions).transform_filter(chosen).mark_text(align="left", baseline="top", fontSize=12, lineHeight=15, lineBreak="\n")
    asked = asked.encode(text="text:N", x=alt.value(0), y=alt.value(0))
    labels = points.mark_text(dy=-14, fontSize=12).encode(text="number:N")
    description = "A question in words with its answer, and below it each number of its answer at the step at which the algorithm settles it."
    layers = alt.LayerChart(layer=[asked, points.mark_circle(size=90, opacity=1, color=DONE), labels])
    return layers.add_params(menu, slider, lines).properties(width=620, height=340, description=description)
