// Makes pages nicer; every page works without it.
"use strict";

// What stands for one thing on both sides of a page lights up together: elements with the same data-of.
function light(of, on) {
  document.querySelectorAll("[data-of]").forEach((element) => {
    if (element.dataset.of.split(" ").includes(of)) element.classList.toggle("lit", on);
  });
}
for (const [begin, end] of [["focusin", "focusout"], ["mouseover", "mouseout"]]) {
  for (const [name, on] of [[begin, true], [end, false]]) {
    document.addEventListener(name, (event) => {
      const element = event.target instanceof Element ? event.target.closest("[data-of]") : null;
      if (element) element.dataset.of.split(" ").forEach((of) => light(of, on));
    });
  }
}

// The palette: "/" opens it, letters narrow it, arrows and Enter go.
let palette;
function places() {
  const links = [...document.querySelectorAll("nav a[href], main a[href], footer a[href]")];
  const seen = new Set();
  return links
    .map((link) => ({ href: link.getAttribute("href"), text: link.textContent.trim().replace(/\s+/g, " ") }))
    .filter(({ href, text }) => text && !seen.has(href + text) && seen.add(href + text));
}
function openPalette() {
  if (!palette) {
    palette = document.createElement("dialog");
    palette.className = "palette";
    palette.setAttribute("aria-label", "Go to");
    const input = document.createElement("input");
    input.type = "search";
    input.setAttribute("aria-label", "Go to");
    const list = document.createElement("ol");
    palette.append(input, list);
    document.body.append(palette);
    input.addEventListener("input", () => fill(list, input.value));
    palette.addEventListener("keydown", (event) => move(event, list, input));
  }
  const [input, list] = palette.children;
  input.value = "";
  fill(list, "");
  palette.showModal();
  input.focus();
}
async function fill(list, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (place) => words.every((word) => place.text.toLowerCase().includes(word));
  show(list, places().filter(matches));
  const search = document.body.dataset.search;
  if (search && typed.length > 1) {
    const answer = await fetch(search + encodeURIComponent(typed), { headers: { accept: "application/json" } }).catch(() => null);
    if (!answer || !answer.ok || palette.children[0].value !== typed) return;
    show(list, [...places().filter(matches), ...(await answer.json())]);
  }
}
function show(list, found) {
  list.replaceChildren(...found.slice(0, 30).map(({ href, text }) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = href;
    link.textContent = text;
    item.append(link);
    return item;
  }));
}
function move(event, list, input) {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    (links[next] || (next < 0 ? input : links[0]) || input).focus();
  } else if (event.key === "Enter" && document.activeElement === input && links[0]) {
    event.preventDefault();
    links[0].click();
  }
}
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    openPalette();
  }
});

// A form that was changed is not lost by a careless click.
let changed = false;
document.addEventListener("input", (event) => { if (event.target.closest("form[method=post]")) changed = true; });
document.addEventListener("submit", () => { changed = false; });
window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
const complaint = document.querySelector(".complaint");
if (complaint) complaint.focus();
