"use strict";
// Sorts the rows of a table by a column, down, up, and back to the order of the page. Rows stay in their
// group, below its heading and above its mean.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const groups = [...table.tBodies].map((body) => [body, [...body.rows]]);
  // Figures as they are shown, so that equal ones stay in the order of the page.
  const number = (row, column) => Number((row.cells[column].querySelector("b")?.textContent ?? "–").replace("−", "-").replace("<", ""));
  const name = (row) => row.cells[0].textContent;

  const sorted = (rows, column, order) => {
    const sign = order === "ascending" ? 1 : -1;
    const unknown = (row) => column > 0 && Number.isNaN(number(row, column));
    const compare = (a, b) => sign * (column > 0 ? number(a, column) - number(b, column) : name(a).localeCompare(name(b)));
    return [...rows.filter((row) => !unknown(row)).sort(compare), ...rows.filter(unknown)];
  };
  const arrange = (column, order) => {
    for (const [body, rows] of groups) {
      const kept = (kind) => rows.filter((row) => row.className === kind);
      const moved = rows.filter((row) => !["part", "sum"].includes(row.className));
      body.append(...kept("part"), ...(order ? sorted(moved, column, order) : moved), ...kept("sum"));
    }
    for (const [place, head] of heads.entries()) {
      if (place === column && order) head.setAttribute("aria-sort", order);
      else head.removeAttribute("aria-sort");
    }
  };
  for (const [column, head] of heads.entries()) {
    const orders = column > 0 ? ["descending", "ascending", null] : ["ascending", "descending", null];
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => arrange(column, orders[(orders.indexOf(head.getAttribute("aria-sort")) + 1) % 3]));
    head.append(button);
  }
}
