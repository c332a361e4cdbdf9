// Draws the charts of a built page in the colours of its theme, and again when the reader changes the theme. Says in words
// what a chart's controls are set to, and gives what is drawn as a table.
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

  // What the reader sets: parameters with a menu or a slider, not selections on the plot.
  const settings = (spec) => (spec.params ?? []).filter((param) => param.bind && !param.select);

  // A chart's description, and what its controls are set to.
  function description({ spec, result }) {
    const word = (bind, value) => (typeof value === "boolean" ? (value ? "yes" : "no") : (bind.labels?.[bind.options.indexOf(value)] ?? value));
    const set = settings(spec).map(({ name, bind }) => `${bind.name.trim()}: ${word(bind, result.view.signal(name))}`);
    return (spec.description ?? "A chart.") + (set.length ? ` Now set: ${set.join("; ")}.` : "");
  }

  // What a pointer is told of each row that is drawn now, as heading → value. What two marks draw of the same row is one.
  function rows(view) {
    const told = new Set();
    const found = [];
    const visit = (mark) => {
      const own = mark.items.filter((item) => item.tooltip).map((item) => JSON.stringify(item.tooltip));
      found.push(...own.filter((row) => !told.has(row)));
      own.forEach((row) => told.add(row));
      mark.items.forEach((item) => item.items?.forEach(visit));
    };
    visit(view.scenegraph().root);
    return found.map((row) => JSON.parse(row));
  }

  function part(name, text, attributes = {}) {
    const element = Object.assign(document.createElement(name), { textContent: text });
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  // A table for each set of columns, while the reader has it open.
  function tabulate({ table, result, said }) {
    const [, region] = table.children;
    region.replaceChildren();
    if (!table.open || !result) return;
    const kinds = new Map();
    for (const row of rows(result.view)) {
      const columns = Object.keys(row).join("\n");
      if (!kinds.has(columns)) {
        const head = part("tr", "");
        head.append(...Object.keys(row).map((name) => part("th", name, { scope: "col" })));
        const element = part("table", "");
        element.append(part("caption", said), part("thead", ""), part("tbody", ""));
        element.tHead.append(head);
        region.append(element);
        kinds.set(columns, element.tBodies[0]);
      }
      const line = part("tr", "");
      line.append(...Object.values(row).map((value) => part("td", value === "null" ? "" : value)));
      kinds.get(columns).append(line);
    }
  }

  function tell(chart) {
    chart.said = description(chart);
    chart.result.view.description(chart.said);
    chart.result.view.runAfter(() => tabulate(chart));
  }

  const single = (spec) => (spec.mark || spec.layer) && !["row", "column", "facet"].some((channel) => spec.encoding?.[channel]);

  // Panels side by side as panels one below the other, and so the entries of their legend.
  function stacked({ hconcat, ...spec }) {
    const column = (key, value) => (key === "legend" && value ? { ...value, columns: 1 } : value);
    return { ...spec, vconcat: JSON.parse(JSON.stringify(hconcat), column) };
  }

  async function draw(chart) {
    const { element, target } = chart;
    let { spec } = chart;
    const dark = document.documentElement.dataset.theme === "dark";
    const options = { mode: "vega-lite", renderer: "svg", config: colours(), tooltip: { theme: dark ? "dark" : "light" }, actions: false };
    const embed = async (spec, more) => {
      const kept = chart.result && settings(spec).map(({ name }) => [name, chart.result.view.signal(name)]);
      chart.result?.finalize();
      chart.result = await vegaEmbed(target, spec, { ...options, ...more });
      for (const [name, value] of kept ?? []) chart.result.view.signal(name, value);
      await chart.result.view.runAsync();
      for (const { name } of settings(spec)) chart.result.view.addSignalListener(name, () => tell(chart));
      tell(chart);
    };
    chart.width = element.clientWidth;
    // One plot is as wide as the text, unless its width follows from its steps. Vega is told so: of Vega-Lite's own way it warns where the height follows from steps.
    const fit = { patch: (compiled) => ({ ...compiled, autosize: { type: "fit-x", contains: "padding", resize: true } }) };
    const stretched = [{ ...spec, width: chart.width }, fit];
    await embed(...(single(spec) && typeof spec.width !== "object" ? stretched : [spec]));
    // What is wider than the page shrinks to it, and so do plots one below the other, and panels side by side whose order the chart gives. Else the page scrolls to them.
    let over = element.scrollWidth - chart.width;
    if (over > 0 && spec.hconcat?.every(single)) {
      await embed((spec = stacked(spec)));
      over = element.scrollWidth - chart.width;
    }
    if (over > 0 && single(spec)) await embed(...stretched);
    for (let round = 0, shrunk = 0; over > 0 && spec.vconcat?.every(single) && round < 2; round++, over = element.scrollWidth - chart.width) {
      shrunk += over;
      await embed({ ...spec, vconcat: spec.vconcat.map((part) => ({ ...part, width: Math.max(120, (part.width ?? 460) - shrunk) })) });
    }
    const panels = spec.facet?.column?.sort?.length;
    for (let width = spec.spec?.width, round = 0, more = over; panels && more > 0 && round < 2; round++, more = element.scrollWidth - chart.width) {
      width = Math.max(80, width - Math.ceil(more / panels));
      await embed({ ...spec, spec: { ...spec.spec, width } });
    }
    // What still scrolls can be scrolled by keyboard.
    const scrolls = { role: "region", tabindex: 0, "aria-label": `${chart.name} ${spec.description ?? "A chart."} Wider than the page.` };
    for (const [name, value] of Object.entries(scrolls)) element.scrollWidth > chart.width ? element.setAttribute(name, value) : element.removeAttribute(name);
  }

  function start() {
    const charts = [...document.querySelectorAll(".vega-chart")].map((element) => {
      const { $schema, ...spec } = JSON.parse(element.querySelector("script").textContent);
      for (const [name, table] of Object.entries(spec.datasets ?? {})) if (table.columns) spec.datasets[name] = table.rows.map((row) => Object.fromEntries(row.map((value, place) => [table.columns[place], value])));
      const name = element.closest("figure")?.querySelector("figcaption strong")?.textContent ?? "";
      const table = part("details", "", { class: "chart-data" });
      table.append(part("summary", "Data as a table"), part("div", "", { role: "region", tabindex: 0, "aria-label": `Data. ${name} ${spec.description ?? ""}` }));
      element.after(table);
      const chart = { element, name, spec, table, target: element.appendChild(document.createElement("div")), drawn: Promise.resolve() };
      table.addEventListener("toggle", () => tabulate(chart));
      return chart;
    });
    if (!charts.length) return;
    const redraw = (chart) => (chart.drawn = chart.drawn.then(() => draw(chart))); // one drawing at a time
    const script = document.createElement("script");
    script.src = vega;
    script.onload = async () => {
      await vegaReady;
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
