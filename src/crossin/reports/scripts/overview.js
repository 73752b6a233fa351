"use strict";
/* The overview: a column a question, a line an arm in a language. Only the columns in sight are drawn, so that
   any number of questions is sharp; the frame around the question shown is an element of its own. */
const GAP = 5, TOP = 4;
const view = { line: 8, band: 20, column: 6 };

function sizeOverview() {
  const arms = data.arms.length;
  view.line = Math.max(4, Math.min(11, Math.round(36 / arms)));
  view.band = view.line * arms + GAP;
  byId("grid-labels").replaceChildren(...data.languages.map((language) => {
    const made = make("span", { text: language.code, title: language.name });
    made.style.height = `${view.band}px`;
    return made;
  }));
}

function drawOverview() {
  const box = byId("grid-scroll"), count = state.shown.length;
  view.column = Math.max(3, Math.min(18, Math.floor(box.clientWidth / Math.max(1, count))));
  byId("grid-width").style.width = `${view.column * count}px`;
  byId("grid").setAttribute("aria-label", `Right and wrong answers of ${count} questions by language and arm`);
  byId("grid-tip").textContent = "\u00a0";
  paint();
}

function paint() {
  const box = byId("grid-scroll"), canvas = byId("grid"), { line, band, column } = view;
  const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
  const paints = [colour("--missing"), colour("--wrong"), colour("--right")];
  const width = Math.max(1, box.clientWidth), height = band * data.languages.length + 2 * TOP, scale = window.devicePixelRatio || 1;
  canvas.width = width * scale; canvas.height = height * scale;
  canvas.style.width = `${width}px`; canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const first = Math.floor(box.scrollLeft / column), last = Math.min(state.shown.length, Math.ceil((box.scrollLeft + width) / column));
  for (let place = first; place < last; place++) {
    const item = state.shown[place], x = place * column - box.scrollLeft;
    for (const language of data.languageNumbers) for (const arm of data.armNumbers) {
      if (!isAsked(item, language)) continue;
      const found = verdict(item, arm, language), top = TOP + language * band + arm * line;
      pen.fillStyle = paints[found];
      /* A thin line for no answer, so that the three differ in more than colour. */
      if (found === SILENT) pen.fillRect(x, top + line / 3, column - 1, line / 3);
      else pen.fillRect(x, top, column - 1, line - 1);
      if (found !== WRONG || !isOpen(item)) continue;
      pen.globalAlpha = scoreOf(item, arm, language);
      pen.fillStyle = paints[RIGHT];
      pen.fillRect(x, top, column - 1, line - 1);
      pen.globalAlpha = 1;
    }
  }
}

/* Move the frame to a place, and bring it into sight. */
function moveFrame(place) {
  const box = byId("grid-scroll"), frame = byId("grid-frame"), x = place * view.column;
  frame.hidden = place < 0;
  frame.style.transform = `translateX(${x - 1}px)`;
  frame.style.width = `${view.column + 1}px`;
  if (place >= 0 && (x < box.scrollLeft || x + view.column > box.scrollLeft + box.clientWidth)) box.scrollLeft = x - box.clientWidth / 2;
}

function under(event) {
  const box = byId("grid-scroll").getBoundingClientRect(), scrolled = byId("grid-scroll").scrollLeft;
  const place = Math.floor((event.clientX - box.left + scrolled) / view.column), y = event.clientY - box.top - TOP;
  const language = Math.floor(y / view.band), arm = Math.floor((y % view.band) / view.line);
  return place >= 0 && place < state.shown.length ? { item: state.shown[place], language, arm } : null;
}

function listenToOverview() {
  const box = byId("grid-scroll");
  box.addEventListener("click", (event) => {
    const found = under(event);
    if (!found) return;
    if (data.languages[found.language]) state.cards.add(found.language);
    showItem(found.item);
    const code = data.languages[found.language]?.code;
    if (code) byId("item").querySelector(`.card[data-language="${code}"]`)?.scrollIntoView({ block: "nearest" });
  });
  box.addEventListener("mousemove", (event) => {
    const found = under(event);
    if (!found) return;
    const { item, language, arm } = found;
    const isCell = data.languages[language] && data.arms[arm] && isAsked(item, language);
    const where = isCell ? `: ${data.languages[language].code}, ${data.arms[arm].name}, ${verdictText(item, arm, language)}` : "";
    byId("grid-tip").textContent = data.items[item].id + where;
  });
  box.addEventListener("scroll", () => requestAnimationFrame(paint));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { drawOverview(); moveFrame(state.shown.indexOf(state.current)); }, 100);
  });
  for (const [name, colour, kind] of [["right", "--right", ""], ["wrong", "--wrong", ""], ["no answer", "--missing", "thin"]]) {
    const swatch = make("i", { kind });
    swatch.style.background = `var(${colour})`;
    byId("grid-key").append(make("span", {}, [swatch, name]));
  }
  if (data.every.some(isOpen)) byId("grid-key").append(make("span", { text: "free text: the more words a reply shares with a reference, the nearer to right" }));
  if (data.arms.length > 1) byId("grid-key").append(make("span", { text: `in each language, from above: ${data.arms.map(({ name }) => name).join(", ")}` }));
}
