"use strict";
function step(by) {
  const item = state.shown[state.shown.indexOf(state.current) + by];
  if (item !== undefined) showItem(item);
}

function listenToKeys() {
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("copy-link").addEventListener("click", copyLink);
  byId("save-csv").addEventListener("click", saveCsv);
  document.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, k: -1, ArrowRight: 1, j: 1 }[event.key];
    const box = byId("explorer").getBoundingClientRect();
    const seen = box.top < window.innerHeight && box.bottom > 0;
    if (!by || !seen || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("input, select, textarea, .plot, .scroll[tabindex]")) return;
    event.preventDefault();
    step(by);
  });
}

async function start() {
  await readData();
  if (!data.items.length) return;
  fillForm();
  openCards();
  sizeOverview();
  readLink();
  drawConditions();
  filter();
  listenToForm();
  listenToOverview();
  listenToKeys();
  window.addEventListener("hashchange", () => {
    if (!readLink()) return;
    drawConditions();
    filter();
  });
  /* Milliseconds since the page began to load. */
  document.body.dataset.ready = performance.now().toFixed(0);
}

start().catch((error) => { byId("position").textContent = `The questions cannot be shown: ${error.message}`; throw error; });
