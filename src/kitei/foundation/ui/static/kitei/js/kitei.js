// Keyboard for lists and navigation. Every page works without it.
"use strict";
(() => {
  const search = document.querySelector("[data-search]");
  const openers = () => [...document.querySelectorAll("[data-rows] [data-open]")];
  let leader = 0;

  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

  const step = (by) => {
    const rows = openers();
    if (rows.length === 0) return;
    const here = rows.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + by, 0), rows.length - 1);
    rows[next].focus();
    rows[next].scrollIntoView({ block: "nearest" });
  };

  const follow = (selector) => {
    const link = document.querySelector(selector);
    if (link) link.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === "Escape") {
      const open = target.closest("details.asof[open], details.choose[open]") || document.querySelector("details.asof[open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      }
      return;
    }
    if (typing(target)) return;
    const led = Date.now() - leader < 1500;
    leader = 0;
    if (led) {
      const link = [...document.querySelectorAll("a[data-key]")].find((each) => each.dataset.key === event.key);
      if (link) {
        event.preventDefault();
        link.click();
      }
      return;
    }
    switch (event.key) {
      case "g": leader = Date.now(); return;
      case "/":
        if (search) { search.focus(); search.select(); break; }
        return;
      case "j": step(1); break;
      case "k": step(-1); break;
      case "n": follow('.pager a[rel="next"]'); break;
      case "b": follow('.pager a[rel="prev"]'); break;
      case "?": {
        const keys = document.getElementById("keys");
        if (!keys) return;
        keys.open = true;
        keys.querySelector("summary").focus();
        break;
      }
      default: return;
    }
    event.preventDefault();
  });

  // The current page of a scrolling navigation is brought into view on a phone.
  for (const link of document.querySelectorAll(".nav a[aria-current], .subnav a[aria-current]")) {
    const list = link.closest("ul");
    if (list.scrollWidth > list.clientWidth) list.scrollLeft = link.offsetLeft - list.offsetLeft - list.clientWidth / 3;
  }

  // An error summary is read out and reached first.
  const errors = document.getElementById("errors");
  if (errors) errors.focus();

  // Columns all chosen need not stand in the address; a form is sent once.
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      if (form.method === "post") form.dataset.sent = "1";
      const boxes = [...form.querySelectorAll('input[name="cols"]')];
      if (boxes.length > 0 && boxes.every((box) => box.checked)) boxes.forEach((box) => { box.disabled = true; });
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form")) {
      delete form.dataset.sent;
      form.querySelectorAll('input[name="cols"]').forEach((box) => { box.disabled = false; });
    }
  });
})();
