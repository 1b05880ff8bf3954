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

// The palette: "/" opens it, letters narrow it, arrows choose, Enter goes, Escape closes and gives the focus back.
const palette = document.getElementById("palette");
if (palette) {
  const form = palette.querySelector("form");
  const input = palette.querySelector("input");
  const list = palette.querySelector("[role=listbox]");
  const options = () => [...list.querySelectorAll("[role=option]")];
  // `filled`: what the choices were asked for.
  let asked = 0, filled = null, waits, before = null;

  const choose = (option) => {
    options().forEach((other) => other.setAttribute("aria-selected", String(other === option)));
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const fill = async () => {
    const [number, typed] = [++asked, input.value];
    const answer = await fetch(form.action + "?q=" + encodeURIComponent(typed), { headers: { "hx-request": "true" } }).catch(() => null);
    // An answer that comes late is none; a session that ended leads to a page and not to choices.
    if (!answer || !answer.ok || answer.redirected || number !== asked) return;
    const choices = await answer.text();
    if (number !== asked) return;
    list.innerHTML = choices;
    filled = typed;
    input.setAttribute("aria-expanded", String(options().length > 0));
    choose(options()[0]);
  };
  // Who types fast and presses Enter means what they typed, not what an earlier letter found.
  const go = async () => {
    clearTimeout(waits);
    if (filled !== input.value) await fill();
    const chosen = list.querySelector("[aria-selected=true]");
    if (filled !== input.value) form.requestSubmit();
    else if (chosen) chosen.click();
  };
  const open = () => {
    before = document.activeElement;
    input.value = "";
    palette.showModal();
    input.focus();
    fill();
  };

  input.addEventListener("input", () => { clearTimeout(waits); waits = setTimeout(fill, 80); });
  palette.addEventListener("close", () => {
    asked += 1;
    filled = null;
    clearTimeout(waits);
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    choose(null);
    if (before && before.isConnected) before.focus();
  });
  palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });
  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) {
      event.preventDefault();
      choose(all[(at + step + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go();
    } else if (event.key === "Escape") {
      event.preventDefault();
      palette.close();
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !palette.open && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      open();
    }
  });
}

// A form that was changed is not lost by a careless click.
let changed = false;
document.addEventListener("input", (event) => { if (event.target.closest("form[method=post]")) changed = true; });
document.addEventListener("submit", () => { changed = false; });
window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
const complaint = document.querySelector(".complaint");
if (complaint) complaint.focus();
