// Keys for reviewers. Every page works without this file; with it, faster.
"use strict";

const rows = [...document.querySelectorAll("tr[data-alert]")];
const help = document.getElementById("keys");
let current = -1;

function select(index) {
  if (!rows.length) return;
  rows[current]?.classList.remove("current");
  current = Math.max(0, Math.min(index, rows.length - 1));
  rows[current].classList.add("current");
  rows[current].scrollIntoView({ block: "nearest" });
  rows[current].querySelector("a.open").focus({ preventScroll: true });
}

function ticks() {
  return rows.map((row) => row.querySelector("input[type=checkbox]")).filter(Boolean);
}

function judge(verdict) {
  const own = document.querySelector(`.verdict button[value=${verdict}]`);
  if (own) return own.click();
  const button = document.querySelector(`#bulk .bulk button[value=${verdict}]`);
  if (!button) return;
  if (!ticks().some((box) => box.checked)) {
    if (current < 0) return;
    ticks()[current].checked = true;
  }
  button.click();
}

function undo() {
  const button = document.getElementById("undo") ?? document.querySelector(".verdict button[value=undo]");
  button?.click();
}

const actions = {
  j: () => select(current + 1),
  k: () => select(current - 1),
  x: () => { if (ticks()[current]) ticks()[current].checked = !ticks()[current].checked; },
  c: () => judge("confirm"),
  d: () => judge("dismiss"),
  u: undo,
  q: () => document.getElementById("back")?.click(),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  if (event.key === "Enter" && current >= 0 && event.target === document.body) {
    rows[current].querySelector("a.open").click();
    return;
  }
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

// A form that is sent twice is one act to the server; this spares the second request.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

const button = document.getElementById("show-keys");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
}
