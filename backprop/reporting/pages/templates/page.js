"use strict";
// The page is whole without this: with it a derivation is told one step at a time and equations light up their lines.
for (const story of document.querySelectorAll(".story")) {
  const steps = [...story.querySelectorAll(".step")], walk = document.createElement("div");
  const said = document.createElement("span");
  let at = 1;
  said.setAttribute("role", "status");
  walk.className = "walk";
  const button = (text, action) => {
    const made = document.createElement("button");
    made.type = "button"; made.textContent = text; made.onclick = action; walk.append(made);
    return made;
  };
  const show = (number, whole = false) => {
    at = Math.max(0, Math.min(number, steps.length - 1));
    story.classList.toggle("stepping", !whole);
    steps.forEach((step, k) => { step.classList.toggle("later", k > at); step.classList.toggle("now", !whole && k === at); });
    back.disabled = at === 0; next.disabled = at === steps.length - 1;
    said.textContent = whole ? `all ${steps.length - 1} steps` : `step ${at} of ${steps.length - 1}`;
    if (!whole && at > 1) steps[at].scrollIntoView({ block: "nearest" });
  };
  const back = button("← Back", () => show(at - 1)), next = button("Next step →", () => show(at + 1));
  button("All steps", () => show(steps.length - 1, true));
  walk.append(said);
  story.append(walk);
  story.addEventListener("keydown", (event) => {
    if (event.target.closest("details, .wide") && event.target.closest(".wide, summary")) return;
    if (event.key === "ArrowRight") show(at + 1);
    else if (event.key === "ArrowLeft") show(at - 1);
    else return;
    event.preventDefault();
  });
  const follow = () => {
    const found = steps.findIndex((step) => "#" + step.id === location.hash);
    if (found < 0) return;
    for (let node = story; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    show(found);
    steps[found].scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", follow);
  show(1); follow();
}
for (const one of document.querySelectorAll("[data-eq]")) {
  const light = (on) => () => document.querySelectorAll(`[data-eq="${one.dataset.eq}"]`)
    .forEach((other) => other.classList.toggle("lit", on));
  one.addEventListener("mouseenter", light(true)); one.addEventListener("mouseleave", light(false));
  one.addEventListener("focusin", light(true)); one.addEventListener("focusout", light(false));
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
for (const place of document.querySelectorAll(".explorer")) {
  const data = JSON.parse(place.querySelector("script").textContent), frames = data.frames, svg = place.querySelector("svg");
  const [byWidth, byError, units] = [".by-width", ".by-error", ".show-units"].map((name) => place.querySelector(name));
  const says = place.querySelector(".says"), bounds = frames.map((one) => one.bound);
  const most = Math.log10(Math.max(...bounds) * 2), least = Math.log10(Math.max(Math.min(...bounds) * 1.02, 1e-17));
  let allowed = 0;
  place.classList.add("alive");
  byWidth.max = frames.length - 1;
  const make = (name, values) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
    svg.append(made);
    return made;
  };
  const word = (text, x, y) => { make("text", { x, y, class: "word" }).textContent = text; };
  const short = (value) => value === 0 ? "0" : Math.abs(value) < 1e-2 || Math.abs(value) >= 1e4 ? value.toExponential(1) : String(+value.toPrecision(3));
  const panel = (top, height, low, high) => {
    const span = high - low || 1, ends = [data.x[0], data.x[data.x.length - 1]];
    const across = (x) => 70 + 560 * (x - ends[0]) / (ends[1] - ends[0]), up = (y) => top + height * (1 - (y - low) / span);
    make("rect", { x: 70, y: top, width: 560, height, class: "frame" });
    word(short(high), 4, top + 10); word(short(low), 4, top + height);
    const path = (values, name) => make("polyline", { class: name, points: values.map((y, k) => {
      return `${across(data.x[k]).toFixed(1)},${Math.max(top - 4, Math.min(up(y), top + height + 4)).toFixed(1)}`; }).join(" ") });
    return { across, up, path };
  };
  const draw = (chosen) => {
    const one = frames[chosen], shown = units.checked ? one.units : [];
    svg.replaceChildren();
    const all = [...data.F, ...one.f], low = Math.min(...all), high = Math.max(...all), room = (high - low || 1) * 0.08 + allowed;
    const upper = panel(6, 250, low - room, high + room);
    const edge = (sign) => data.F.map((y, k) => `${upper.across(data.x[k]).toFixed(1)},${upper.up(y + sign * allowed).toFixed(1)}`);
    make("polygon", { class: "of-band", points: [...edge(1), ...edge(-1).reverse()].join(" ") });
    for (const unit of shown) {
      const bottom = Math.min(...unit), height = Math.max(...unit) - bottom || 1;
      upper.path(unit.map((y) => low + (high - low) * (y - bottom) / height), "of-unit");
    }
    upper.path(data.F, "of-function"); upper.path(one.f, "of-network");
    const size = Math.max(one.bound, allowed) * 1.1 || 1, lower = panel(276, 120, -size, size);
    for (const sign of [1, -1]) lower.path(data.x.map(() => sign * one.bound), one.certified ? "of-bound" : "of-grid");
    lower.path(data.F.map((y, k) => one.f[k] - y), "of-network");
    word("x = " + short(data.x[0]), 70, 414); word(short(data.x[data.x.length - 1]), 600, 414);
    says.textContent = one.says + (one.bound < allowed ? "; below the allowed " + short(allowed) : "; NOT below the allowed " + short(allowed));
    byWidth.setAttribute("aria-valuetext", one.says);
  };
  const take = () => { allowed = 10 ** (most - (most - least) * byError.value / 1000); };
  byWidth.oninput = () => draw(+byWidth.value);
  byError.oninput = () => {
    take();
    const enough = bounds.findIndex((bound) => bound < allowed);
    byWidth.value = enough < 0 ? frames.length - 1 : enough;
    draw(+byWidth.value);
  };
  units.onchange = () => draw(+byWidth.value);
  byWidth.value = frames.length - 1; byError.value = 1000; take(); draw(+byWidth.value);
}
