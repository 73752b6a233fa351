"use strict";
/* The state of the filters in the address, and as a table. */
const FIELDS = { search: "text", task: "task", group: "group", order: "order", wording: "wording" };

/* Arms by name and languages by code, so that a link holds on a page with more of them. */
function fragment() {
  const found = new URLSearchParams();
  for (const [name, id] of Object.entries(FIELDS)) {
    const value = byId(`filter-${id}`).value;
    if (value && value !== "0") found.append(name, value);
  }
  for (const [arm, relation, language] of state.conditions) {
    found.append("where", JSON.stringify([data.arms[arm]?.name ?? [arm], relation, data.languages[language]?.code ?? [language]]));
  }
  if (state.current >= 0 && state.current !== state.shown[0]) found.append("item", data.items[state.current].id);
  return found.toString();
}

let linking;
/* A browser allows a limited number of changes of the address: it is written once the reader stays. */
function writeLinkSoon() {
  clearTimeout(linking);
  linking = setTimeout(writeLink, 300);
}

function writeLink() {
  const found = fragment(), [before, now = ""] = location.href.split("#");
  /* A section's own anchor stays where there is nothing to say. */
  if (found === now || (!found && !now.includes("="))) return;
  try { history.replaceState(null, "", `${before}#${found}`); } catch { /* Where a page may not, the button still copies. */ }
}

/* Whether the address holds filters, and not only a section. */
function readLink() {
  if (!location.hash.includes("=")) return false;
  const found = new URLSearchParams(location.hash.slice(1));
  for (const [name, id] of Object.entries(FIELDS)) {
    const field = byId(`filter-${id}`);
    field.value = found.get(name) ?? "";
    if (field.selectedIndex < 0) field.selectedIndex = 0;
  }
  state.conditions = found.getAll("where").flatMap(condition);
  const item = data.items.findIndex(({ id }) => id === found.get("item"));
  if (item >= 0) state.current = item;
  return true;
}

/* The condition that a link names; none where this page has no such arm, answer or language. */
function condition(text) {
  try {
    const [arm, relation, language] = JSON.parse(text);
    const place = (name, names) => Array.isArray(name) ? [EVERY, SOME].find((one) => one === name[0]) : names.indexOf(name);
    const made = [place(arm, data.arms.map(({ name }) => name)), relation, place(language, data.languages.map(({ code }) => code))];
    return data.relations.has(relation) && ![made[0], made[2]].some((one) => one === undefined || one === -1) ? [made] : [];
  } catch { return []; }
}

async function copyLink() {
  const address = `${location.href.split("#")[0]}#${fragment()}`;
  try {
    await navigator.clipboard.writeText(address);
    byId("copied").textContent = "Link copied";
  } catch {
    /* Without the right to copy, the reader can. */
    const field = make("input", { value: address, readonly: "", "aria-label": "Link to these questions" });
    byId("copied").replaceChildren(field);
    field.select();
  }
}

/* A spreadsheet would run a text that begins like a formula. */
function csvField(value) {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) && !Number.isFinite(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/* A row for each question shown and language: the question, what is right, and by arm the answer and whether
   it is right. */
function csvText() {
  const heads = ["item", "task", "group", "language", "question", "right answer", ...data.arms.flatMap(({ name }) => [`${name}: answer`, `${name}: verdict`])];
  const rows = state.shown.flatMap((item) => data.languageNumbers.filter((language) => isAsked(item, language)).map((language) => {
    const { id, task, group, texts, gold } = data.items[item], [question, , options, references] = texts[language];
    const answers = data.armNumbers.flatMap((arm) => {
      const answer = answerOf(item, arm, language);
      return [answer >= 0 ? options[answer] : replyOf(item, arm, language), verdictText(item, arm, language)];
    });
    return [id, task, group, data.languages[language].code, question, isOpen(item) ? references[0] : options[gold], ...answers];
  }));
  /* With a byte-order mark spreadsheets read UTF-8. */
  return `\ufeff${[heads, ...rows].map((row) => row.map(csvField).join(",")).join("\r\n")}\r\n`;
}

function saveCsv() {
  const address = URL.createObjectURL(new Blob([csvText()], { type: "text/csv" }));
  make("a", { href: address, download: "questions.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
