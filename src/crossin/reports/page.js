"use strict";
/* Texts of data and models reach the page only by textContent; nothing here reads HTML. */
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { arms, baseline, languages, items, contexts, reasons } = read("item-data");
  const byId = (id) => document.getElementById(id);
  const every = [...items.keys()];

  function make(tag, options = {}, children = []) {
    const { text, kind, ...attributes } = options;
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  /* ---- Right, wrong, missing ---- */
  const RIGHT = 2, WRONG = 1, MISSING = 0;
  const answerOf = (item, arm, language) => items[item].answers[arm][language];
  /* In free text without known answers, a reply is as right as the words that it shares with a reference. */
  const isOpen = (item) => items[item].ids.length === 0;
  const scoreOf = (item, arm, language) => items[item].scores[arm][language];
  const replyOf = (item, arm, language) => items[item].replies?.[arm][language] ?? "";
  const saidBy = (item, arm, language) => isOpen(item) ? replyOf(item, arm, language).trim() : answerOf(item, arm, language);
  function verdict(item, arm, language) {
    if (isOpen(item)) {
      const score = scoreOf(item, arm, language);
      return score === null ? MISSING : score === 1 ? RIGHT : WRONG;
    }
    const answer = answerOf(item, arm, language);
    return answer < 0 ? MISSING : answer === items[item].gold ? RIGHT : WRONG;
  }
  function verdictName({ item, arm, language }) {
    const found = verdict(item, arm, language);
    return isOpen(item) && found !== MISSING ? f1(item, arm, language) : ["no answer", "wrong", "right"][found];
  }
  const f1 = (item, arm, language) => `F1 ${scoreOf(item, arm, language).toFixed(2)}`;
  const rightCount = items.map((_, item) => arms.map((_, arm) => languages.reduce((sum, _, language) =>
    sum + (isOpen(item) ? scoreOf(item, arm, language) : Number(verdict(item, arm, language) === RIGHT)), 0)));

  /* ---- Filters ---- */
  const texts = items.map((item) => [item.id, item.task, item.group, ...item.texts.flatMap((found) =>
    found ? [found[0], ...found[2], ...found[3]] : []), ...(item.replies ?? []).flat()].join("\n").toLocaleLowerCase());
  const subject = arms.length - 1 === baseline && arms.length > 1 ? 0 : arms.length - 1;
  const isRight = (item, arm, language) => verdict(item, arm, language) === RIGHT;
  /* A benchmark whose languages have questions of their own has each in one language. */
  const isAsked = (item, language) => items[item].texts[language] !== null;
  const parallel = every.every((item) => languages.every((_, language) => isAsked(item, language)));

  /* Each kind says whether a question is shown, given one language. */
  const kinds = [["all questions", () => true]];
  if (arms.length > 1) {
    kinds.push(["arms disagree", (item, language) => arms.some((_, arm) => saidBy(item, arm, language) !== saidBy(item, 0, language))]);
    arms.forEach((arm, place) => {
      if (place === subject) return;
      kinds.push([`${arms[subject].name} right, ${arm.name} wrong`, (item, language) => isRight(item, subject, language) && !isRight(item, place, language)]);
      kinds.push([`${arms[subject].name} wrong, ${arm.name} right`, (item, language) => !isRight(item, subject, language) && isRight(item, place, language)]);
    });
  }
  kinds.push([arms.length > 1 ? "all arms right" : "right", (item, language) => arms.every((_, arm) => isRight(item, arm, language))]);
  kinds.push([arms.length > 1 ? "all arms wrong" : "wrong", (item, language) => arms.every((_, arm) => !isRight(item, arm, language))]);
  if (languages.length > 1 && parallel && !every.every(isOpen)) {
    arms.forEach((arm, place) => kinds.push([`languages disagree: ${arm.name}`, (item) =>
      !isOpen(item) && languages.some((_, language) => answerOf(item, place, language) !== answerOf(item, place, 0) || answerOf(item, place, language) < 0)]));
  }
  const orders = [["as in the benchmark", null],
    [`most right first: ${arms[subject].name}`, (item) => -rightCount[item][subject]]];
  if (arms.length > 1) {
    const other = subject === baseline ? 0 : baseline;
    orders.push([`most gained over ${arms[other].name} first`, (item) => rightCount[item][other] - rightCount[item][subject]]);
  }

  function fill(id, choices) {
    byId(id).append(...choices.map(([value, text]) => make("option", { value, text })));
  }
  const unique = (key) => [["", "all"], ...[...new Set(items.map((item) => item[key]))].sort().map((name) => ["=" + name, name])];
  fill("filter-task", unique("task"));
  fill("filter-group", unique("group"));
  fill("filter-kind", kinds.map(([name], place) => [place, name]));
  fill("filter-language", [["", "any language"], ...languages.map((language, place) => [place, `${language.name} (${language.code})`])]);
  fill("filter-order", orders.map(([name], place) => [place, name]));

  let shown = every;
  let current = items.length ? 0 : -1;

  function filter() {
    const words = byId("filter-text").value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const task = byId("filter-task").value, group = byId("filter-group").value, chosen = byId("filter-language").value;
    const [, fits] = kinds[byId("filter-kind").value];
    const [, order] = orders[byId("filter-order").value];
    const asked = chosen === "" ? [...languages.keys()] : [Number(chosen)];
    shown = every.filter((item) => (!task || "=" + items[item].task === task) && (!group || "=" + items[item].group === group)
      && words.every((word) => texts[item].includes(word)) && asked.some((language) => isAsked(item, language) && fits(item, language)));
    if (order) shown.sort((a, b) => order(a) - order(b) || a - b);
    show(shown.includes(current) ? current : shown.length ? shown[0] : -1);
    drawGrid();
  }

  /* ---- One question in all languages ---- */
  function shares(logprobs) {
    if (logprobs.some((value) => value === null)) return null;
    const most = Math.max(...logprobs);
    const weights = logprobs.map((value) => Math.exp(value - most));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  }

  function bars(item, language, option) {
    const cells = arms.flatMap((arm, place) => {
      const logprobs = items[item].logprobs[place]?.[language], found = logprobs && shares(logprobs);
      const chosen = answerOf(item, place, language) === option, right = chosen && option === items[item].gold;
      const track = make("span", { kind: "track" });
      if (found) {
        const bar = make("i");
        bar.style.width = `${100 * found[option]}%`;
        bar.style.background = arm.colour;
        track.append(bar);
        track.title = `log-probability ${logprobs[option].toFixed(2)}`;
      }
      /* Answers that were generated have no shares: an option names the arms that chose it. */
      if (!found && !chosen) return [];
      const mark = make("span", { kind: `verdict ${right ? "right" : "wrong"}`, text: chosen ? (right ? "✓" : "✗") : "" });
      if (chosen) { mark.title = `${arm.name} chose this: ${right ? "right" : "wrong"}`; mark.setAttribute("role", "img"); mark.setAttribute("aria-label", mark.title); }
      if (!found) return [make("span", { kind: "arm chosen wide", text: arm.name, title: arm.name }), mark];
      return [make("span", { kind: chosen ? "arm chosen" : "arm", text: arm.name, title: arm.name }), track,
        make("span", { kind: "share", text: found ? `${(100 * found[option]).toFixed(0)}%` : "" }), mark];
    });
    return make("div", { kind: "bars", dir: "ltr", lang: "en" }, cells);
  }

  /* What an arm replied, and how it was read. The reply may be in any language. */
  function reply(item, arm, language) {
    const text = replyOf(item, arm, language), why = items[item].unread?.[arm][language] ?? -1;
    const lines = [make("dd", { kind: "reply", text, dir: "auto" })];
    if (isOpen(item) && scoreOf(item, arm, language) !== null) lines.push(make("dd", { kind: "read", text: f1(item, arm, language) }));
    if (why >= 0) lines.push(make("dd", { kind: "none", text: `No answer: ${reasons[why]}` }));
    return [make("dt", { text: arms[arm].name }), ...lines];
  }

  function card(item, language) {
    const { code, name, direction } = languages[language];
    const [question, context, options, references] = items[item].texts[language];
    const spoken = { lang: code, dir: direction };
    const right = arms.filter((_, arm) => isRight(item, arm, language)).length;
    const all = arms.length > 1 ? `${right} of ${arms.length} right` : right ? "right" : "wrong";
    const made = make("section", { kind: "card", "data-language": code, "aria-label": `${name} (${code})` }, [
      make("h4", {}, [make("span", {}, [make("bdi", { text: name, lang: code }), ` ${name === code ? "" : code}`]),
        make("span", { text: isOpen(item) ? "" : all })])]);
    if (context >= 0) made.append(make("details", {}, [make("summary", { text: "Context" }), make("p", { text: contexts[context], ...spoken })]));
    made.append(make("p", { kind: "question", text: question, ...spoken }));
    /* Of an inventory, those named in this language, and the right one. */
    const isShown = (option) => items[item].listed !== false || option === items[item].gold
      || arms.some((_, arm) => answerOf(item, arm, language) === option);
    made.append(make("ul", { kind: "options" }, options.flatMap((text, option) => isShown(option) ? [
      make("li", { kind: option === items[item].gold ? "gold" : "" }, [make("div", { kind: "option", text, ...spoken }), bars(item, language, option)])] : [])));
    /* The right entity's name says it, too. */
    if (references.length && references[0] !== options[items[item].gold]) made.append(make("p", { kind: "reference" }, [make("span", { text: "Reference " }), make("bdi", { text: references[0], ...spoken })]));
    if (references.length > 1) made.append(make("details", {}, [make("summary", { text: `${references.length - 1} more` }),
      make("ul", {}, references.slice(1).map((text) => make("li", { text, ...spoken })))]));
    if (items[item].replies) made.append(make("dl", { kind: "replies" }, arms.flatMap((_, arm) => reply(item, arm, language))));
    const silent = arms.filter((_, arm) => verdict(item, arm, language) === MISSING && !items[item].unread).map((arm) => arm.name);
    if (silent.length) made.append(make("p", { kind: "none", text: `No answer: ${silent.join(", ")}` }));
    return made;
  }

  function keyOf(item) {
    if (isOpen(item)) return ["F1: words that reply and reference share"];
    return ["★ right answer", ...(items[item].logprobs.some(Boolean) ? ["bars: each option's share of the probability"] : [])];
  }

  function show(item) {
    current = item;
    const place = shown.indexOf(item);
    byId("position").textContent = item < 0 ? "No question fits" : `${place + 1} of ${shown.length}`;
    byId("previous").disabled = place <= 0;
    byId("next").disabled = item < 0 || place >= shown.length - 1;
    if (item < 0) return byId("item").replaceChildren();
    const { id, task, group } = items[item];
    byId("item").replaceChildren(make("h3", { text: id }), make("p", { kind: "key", text: [`task ${task}`, `group ${group}`, ...keyOf(item)].join(" · ") }),
      make("div", { kind: "cards" }, [...languages.keys()].filter((language) => isAsked(item, language)).map((language) => card(item, language))));
  }

  function step(by) {
    const place = shown.indexOf(current) + by;
    if (place < 0 || place >= shown.length) return;
    show(shown[place]);
    drawGrid();
    reveal(place);
  }

  /* ---- The overview: a column a question, a line an arm in a language ---- */
  const canvas = byId("grid"), LABEL = 54, GAP = 5;
  const line = Math.max(4, Math.min(11, Math.round(36 / arms.length)));
  const band = line * arms.length + GAP;
  let column = 6;

  function drawGrid() {
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
    const paints = [colour("--missing"), colour("--wrong"), colour("--right")];
    const room = byId("grid-scroll").clientWidth - LABEL;
    column = Math.max(5, Math.min(18, Math.floor(room / Math.max(1, shown.length))));
    const width = LABEL + column * shown.length + 2, height = band * languages.length + 8;
    const scale = Math.min(window.devicePixelRatio || 1, 16000 / width);
    canvas.width = width * scale; canvas.height = height * scale;
    canvas.style.width = `${width}px`; canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "12px system-ui, sans-serif"; pen.textBaseline = "middle"; pen.fillStyle = colour("--ink");
    languages.forEach((language, row) => pen.fillText(language.code, 2, 4 + row * band + (band - GAP) / 2, LABEL - 6));
    shown.forEach((item, x) => languages.forEach((_, row) => arms.forEach((_, arm) => {
      if (!isAsked(item, row)) return;
      pen.fillStyle = paints[verdict(item, arm, row)];
      const box = [LABEL + x * column, 4 + row * band + arm * line, column - 1, line - 1];
      pen.fillRect(...box);
      if (!isOpen(item) || verdict(item, arm, row) !== WRONG) return;
      pen.globalAlpha = scoreOf(item, arm, row);
      pen.fillStyle = paints[RIGHT];
      pen.fillRect(...box);
      pen.globalAlpha = 1;
    })));
    const place = shown.indexOf(current);
    if (place >= 0) {
      pen.strokeStyle = colour("--ink"); pen.lineWidth = 2;
      pen.strokeRect(LABEL + place * column - 1, 1, column + 1, height - 2);
    }
    canvas.setAttribute("aria-label", `Right and wrong answers of ${shown.length} questions by language and arm`);
  }

  function reveal(place) {
    const box = byId("grid-scroll"), x = LABEL + place * column;
    if (x < box.scrollLeft + LABEL || x > box.scrollLeft + box.clientWidth - column) box.scrollLeft = x - box.clientWidth / 2;
  }

  function under(event) {
    const box = canvas.getBoundingClientRect();
    const place = Math.floor((event.clientX - box.left - LABEL) / column), y = event.clientY - box.top - 4;
    const language = Math.floor(y / band), arm = Math.floor((y % band) / line);
    return place >= 0 && place < shown.length ? { item: shown[place], language, arm } : null;
  }
  canvas.addEventListener("click", (event) => {
    const found = under(event);
    if (!found) return;
    show(found.item);
    drawGrid();
    const code = languages[found.language]?.code;
    if (code) byId("item").querySelector(`.card[data-language="${code}"]`)?.scrollIntoView({ block: "nearest" });
  });
  canvas.addEventListener("mousemove", (event) => {
    const found = under(event);
    if (!found) return;
    const where = languages[found.language] && arms[found.arm] && isAsked(found.item, found.language)
      ? `: ${languages[found.language].code}, ${arms[found.arm].name}, ${verdictName(found)}` : "";
    byId("grid-tip").textContent = items[found.item].id + where;
  });

  [["right", "--right"], ["wrong", "--wrong"], ["no answer", "--missing"]].forEach(([name, colour]) => {
    const box = make("i");
    box.style.background = `var(${colour})`;
    byId("grid-key").append(make("span", {}, [box, name]));
  });
  if (every.some(isOpen)) byId("grid-key").append(make("span", { text: "free text: the more words a reply shares with a reference, the nearer to right" }));
  if (arms.length > 1) byId("grid-key").append(make("span", { text: `in each language, from above: ${arms.map((arm) => arm.name).join(", ")}` }));

  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  /* Some ways to choose in a list, assistive ones among them, send `change` alone. */
  for (const sent of ["input", "change"]) byId("filters").addEventListener(sent, filter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => setTimeout(filter));
  document.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const box = byId("explorer").getBoundingClientRect();
    const seen = box.top < window.innerHeight && box.bottom > 0;
    if (!by || !seen || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("input, select, textarea, .plot, .scroll[tabindex]")) return;
    event.preventDefault();
    step(by);
  });

  filter();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawGrid);
  let waiting;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(drawGrid, 100); });
})();
