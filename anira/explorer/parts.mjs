/** Small things that all views are made of: elements, words, and the colours of the depths. */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "circle", "rect", "line", "text", "tspan", "title"]);

const isThere = (child) => child !== null && child !== undefined && child !== false;
const create = (tag) => (SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag));

/** An element with attributes, listeners (`onclick`) and children; an attribute or a child that is null or false is left out. */
export function node(tag, attributes = {}, ...children) {
  const made = create(tag);
  set(made, attributes);
  made.append(...children.filter(isThere));
  return made;
}

/** What such an element should be, for `fill`. A `key` tells it from its siblings where they come and go; else its place does. */
export const part = (tag, attributes = {}, ...children) => ({ tag, attributes, children, key: attributes.key });

const keys = new WeakMap(); // of the children that `fill` made
const given = new WeakMap(); // element → the attributes that `set` gave it

/** Make the children of an element, all of them made here, what these parts and texts say: those that are there stay, with the focus, and only what differs is changed. */
export function fill(element, ...parts) {
  const before = new Map([...element.childNodes].map((child) => [keys.get(child), child]));
  const now = parts.filter(isThere).map((one, i) => {
    const key = one.key ?? `${one.tag} ${i}`;
    const child = before.get(key) ?? (one.tag ? create(one.tag) : document.createTextNode(""));
    before.delete(key);
    keys.set(child, key);
    if (one.tag) set(child, one.attributes), fill(child, ...one.children);
    else if (child.data !== String(one)) child.data = one;
    return child;
  });
  before.forEach((child) => child.remove());
  now.forEach((child, i) => element.childNodes[i] === child || element.insertBefore(child, element.childNodes[i] ?? null));
}

function set(element, attributes) {
  const before = given.get(element) ?? {};
  given.set(element, attributes);
  for (const name in { ...before, ...attributes }) {
    const value = attributes[name];
    if (value === before[name] || name === "key") continue;
    if (name.startsWith("on")) element[name] = value;
    else if (isThere(value)) element.setAttribute(name, value);
    else element.removeAttribute(name);
  }
}

/** `<eos>` is a name for the model; readers see the word, and a space between words where several follow each other. */
const WORDS = { "<bos>": "start", "<query>": "query", "<answer>": "answer", "<eos>": "end", "<pad>": "pad" };
export const readable = (name) => WORDS[name] ?? name;
export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
export const ordinal = (n) => n + (["th", "st", "nd", "rd"][n % 100 > 10 && n % 100 < 14 ? 0 : n % 10] ?? "th");
export const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
export const sum = (values) => values.reduce((a, b) => a + b, 0);
export const nearest = (values, wish) => values.reduce((a, b) => (Math.abs(b - wish) < Math.abs(a - wish) ? b : a));
export const bold = (text) => part("b", {}, text);
export const classes = (...names) => names.filter(Boolean).join(" ");

const channel = (hex, i) => parseInt(hex.slice(2 * i + 1, 2 * i + 3), 16) / 255;
const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const luminance = (hex) => 0.2126 * linear(channel(hex, 0)) + 0.7152 * linear(channel(hex, 1)) + 0.0722 * linear(channel(hex, 2));

/** The colour of each depth 1..D, from the colours of the charts, and black or white to write on it. */
export function ramp(colors, D) {
  return Array.from({ length: D }, (_, i) => {
    const at = D === 1 ? colors.length - 1 : (i / (D - 1)) * (colors.length - 1);
    const [from, to, share] = [colors[Math.floor(at)], colors[Math.ceil(at)], at % 1];
    const mixed = [0, 1, 2].map((c) => Math.round(255 * (channel(from, c) * (1 - share) + channel(to, c) * share)).toString(16).padStart(2, "0"));
    const fill = `#${mixed.join("")}`;
    return { fill, ink: luminance(fill) > 0.18 ? "#000" : "#fff" };
  });
}

/** The ramp as custom properties of an element. */
export function paintRamp(root, colors, D) {
  ramp(colors, D).forEach(({ fill, ink }, i) => {
    root.style.setProperty(`--ax-depth-${i + 1}`, fill);
    root.style.setProperty(`--ax-ink-${i + 1}`, ink);
  });
}

/** A slider over a list of values. */
export function slider(values, label, name, choose) {
  return node("input", {
    type: "range", min: 0, max: values.length - 1, step: 1, "aria-label": label, "data-control": name,
    oninput: (event) => choose(values[event.target.value]),
  });
}

/**
 * Call `changed` when the element's width changes; `width()` is the latest, without asking the page to lay itself out. While the width
 * stays, the element never gets lower than it was: what stands below it stays where it is, under the pointer too.
 */
export function watchSize(element, usual, changed) {
  let latest = 0;
  const keep = () => { element.style.minHeight = `${element.getBoundingClientRect().height}px`; };
  const observer = new ResizeObserver(([{ contentRect: { width } }]) => {
    if (!width) return;
    if (width === latest) return keep();
    latest = width;
    element.style.minHeight = "";
    changed();
    requestAnimationFrame(keep); // by then it is laid out in its new width
  });
  observer.observe(element);
  return { width: () => latest || usual, down: () => observer.disconnect() };
}

/** Until the page has shown what is drawn; a page that is not looked at draws no frames, and is waited for a little. */
export const frame = () => new Promise((resolve) => {
  requestAnimationFrame(() => setTimeout(resolve));
  setTimeout(resolve, 100);
});

const asButton = (name, onclick, attributes) => ({ type: "button", class: "ax-button", "data-control": name, onclick, ...attributes });
export const button = (name, text, onclick, attributes) => node("button", asButton(name, onclick, attributes), text);
export const buttonPart = (name, text, onclick, attributes) => part("button", asButton(name, onclick, attributes), text);

/** The one member of a group that can be tabbed to; arrow keys go on from there. */
export const tabStop = (members, wish) => (members.includes(wish) ? wish : members[0]);

/** Move the focus within a group; returns whether the key was one that moves. */
export function roam(event, members) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return false;
  event.preventDefault();
  members[(members.indexOf(event.currentTarget) + step + members.length) % members.length].focus();
  return true;
}
