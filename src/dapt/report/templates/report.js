"use strict";
// Sorts tables by the buttons in their heads, and filters the rows of the tables of results.
const number = cell => { const value = parseFloat(cell.dataset.v); return Number.isNaN(value) ? null : value; };
const compare = (one, other) => {
  const a = number(one), b = number(other);
  if (a !== null && b !== null) return a - b;
  if (a !== null || b !== null) return a === null ? 1 : -1;
  return one.textContent.trim().localeCompare(other.textContent.trim(), undefined, {numeric: true});
};
for (const table of document.querySelectorAll("table.sort")) {
  const body = table.tBodies[0], first = [...body.rows];
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const numbers = first.some(row => number(row.cells[place]) !== null);
      const order = numbers ? ["none", "descending", "ascending"] : ["none", "ascending", "descending"];
      const next = order[(order.indexOf(now) + 1) % order.length];
      for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", next);
      const sign = next === "descending" ? -1 : 1;
      const empty = row => numbers && number(row.cells[place]) === null;
      const rows = next === "none" ? first : [...first].sort((a, b) =>
        empty(a) || empty(b) ? empty(a) - empty(b) : sign * compare(a.cells[place], b.cells[place]));
      body.append(...rows);
    });
  });
}
const box = document.getElementById("filter");
if (box) {
  const rows = [...document.querySelectorAll("table.results tbody tr")], told = document.getElementById("filtered");
  document.getElementById("filtering").hidden = false;
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const name = row.cells[0].textContent.toLowerCase();
      row.hidden = !words.every(word => name.includes(word));
      shown += !row.hidden;
    }
    told.textContent = words.length ? `${shown} of ${rows.length} rows shown` : "";
  });
}
