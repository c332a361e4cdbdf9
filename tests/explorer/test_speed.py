"""A move shows its picture in time and blocks no frame, counted in processor time so that a busy machine fails nothing."""

import statistics

import pytest

from tests.explorer.pages import brevo, control, mano, open_page, settled  # noqa: F401, fixtures

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # a measurement: run it on a machine with nothing else to do

MOVE = """async (until) => {
  const root = document.querySelector('.anira-explorer');
  root.querySelector('[data-control=graph]').click();
  while (root.dataset.busy === 'yes' || (until === 'all' && root.dataset.busy)) await new Promise((resolve) => setTimeout(resolve, 1));
}"""


@pytest.mark.parametrize(("nodes", "limit"), [(8, 60), (16, 150)])
def test_a_move_shows_the_new_picture_in_time(open_page, brevo, nodes, limit, capsys):  # noqa: F811
    page = open_page(brevo, width=1000)
    control(page, "decider-online").check()
    control(page, "nodes").fill(str(nodes - 3))
    settled(page)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent():
        return 1000 * next(metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"] if metric["name"] == "TaskDuration")

    for _ in range(5):
        page.evaluate(MOVE, "all")
    moves = []
    for _ in range(50):
        before = spent()
        page.evaluate(MOVE, "picture")
        moves.append(spent() - before)
        settled(page)
    with capsys.disabled():
        print(f"\n{nodes} nodes: median {statistics.median(moves):.0f} ms of processor time, 95 % below {sorted(moves)[47]:.0f}")
    assert statistics.median(moves) <= limit


@pytest.mark.xfail(reason="a move rebuilds its scene in one task of about 100 ms, where computing is cut into pieces: what has not changed should stay")
@pytest.mark.parametrize("nodes", [8, 16])
def test_no_frame_waits_longer_than_fifty_milliseconds(open_page, brevo, nodes, capsys):  # noqa: F811
    """The browser's own count of long tasks: whatever holds the page's thread for more than 50 ms, computing, drawing and all else."""
    page = open_page(brevo, width=1000)
    control(page, "nodes").fill(str(nodes - 3))
    settled(page)
    for _ in range(5):
        page.evaluate(MOVE, "all")
    page.evaluate(
        "() => { window.long = []; new PerformanceObserver((list) => long.push(...list.getEntries().map((task) => task.duration))).observe({ type: 'longtask' }); }"
    )
    for _ in range(20):
        page.evaluate(MOVE, "all")
    page.wait_for_timeout(200)
    long = page.evaluate("long")
    with capsys.disabled():
        print(f"\n{nodes} nodes: {len(long)} long tasks in 20 moves, the longest {max(long, default=0):.0f} ms")
    assert len(long) <= 2, "another program may have had the processor for a while"
