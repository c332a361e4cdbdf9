// Draws the charts of a built page in the colours of its theme, and again when the reader changes the theme.
// A classic script, as is Vega beside it: modules do not load from file://.
(() => {
  const vega = new URL("vega.js", document.currentScript.src).href;

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
    const text = read("--pst-color-text-base", "#222");
    const muted = read("--pst-color-text-muted", "#555");
    const line = read("--pst-color-border", "#bbb");
    const guide = { labelColor: text, titleColor: text };
    return {
      background: "transparent",
      axis: { ...guide, gridColor: line, tickColor: muted, domainColor: muted },
      legend: guide,
      header: guide,
      title: { color: text, subtitleColor: muted },
      text: { color: text },
      rule: { color: muted },
    };
  }

  // What the reader has set: parameters with a value or a slider, not selections on the plot.
  const settings = (spec) => (spec.params ?? []).filter((param) => !param.select).map((param) => param.name);

  const single = (spec) => (spec.mark || spec.layer) && !["row", "column", "facet"].some((channel) => spec.encoding?.[channel]);

  async function draw(chart) {
    const { element, target, spec } = chart;
    const dark = document.documentElement.dataset.theme === "dark";
    const options = { mode: "vega-lite", renderer: "svg", config: colours(), tooltip: { theme: dark ? "dark" : "light" }, actions: false };
    const embed = async (spec) => {
      const kept = chart.result && settings(spec).map((name) => [name, chart.result.view.signal(name)]);
      chart.result?.finalize();
      chart.result = await vegaEmbed(target, spec, options);
      for (const [name, value] of kept ?? []) chart.result.view.signal(name, value);
      await chart.result.view.runAsync();
    };
    chart.width = element.clientWidth;
    // One plot is as wide as the text, unless its width follows from its steps.
    const stretched = { ...spec, width: chart.width, autosize: { type: "fit-x", contains: "padding" } };
    await embed(single(spec) && typeof spec.width !== "object" ? stretched : spec);
    // What is wider than the page shrinks to it, and so do plots one below the other; of several side by side, the page scrolls to the others.
    const over = element.scrollWidth - chart.width;
    if (over > 0 && single(spec)) await embed(stretched);
    else if (over > 0 && spec.vconcat?.every(single)) await embed({ ...spec, vconcat: spec.vconcat.map((part) => ({ ...part, width: Math.max(120, (part.width ?? 460) - over) })) });
    // What still scrolls can be scrolled by keyboard.
    const scrolls = { role: "region", tabindex: 0, "aria-label": `${spec.description ?? "A chart."} Wider than the page.` };
    for (const [name, value] of Object.entries(scrolls)) element.scrollWidth > chart.width ? element.setAttribute(name, value) : element.removeAttribute(name);
  }

  function start() {
    const charts = [...document.querySelectorAll(".vega-chart")].map((element) => {
      const { $schema, ...spec } = JSON.parse(element.querySelector("script").textContent);
      return { element, spec, target: element.appendChild(document.createElement("div")), drawn: Promise.resolve() };
    });
    if (!charts.length) return;
    const redraw = (chart) => (chart.drawn = chart.drawn.then(() => draw(chart))); // one drawing at a time
    const script = document.createElement("script");
    script.src = vega;
    script.onload = () => {
      charts.forEach(redraw);
      new MutationObserver(() => charts.forEach(redraw)).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
      let waiting;
      window.addEventListener("resize", () => {
        clearTimeout(waiting);
        waiting = setTimeout(() => charts.filter((chart) => chart.element.clientWidth !== chart.width).forEach(redraw), 150);
      });
    };
    document.head.append(script);
  }

  start();
})();
