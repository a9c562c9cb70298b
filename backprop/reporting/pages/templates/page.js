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
