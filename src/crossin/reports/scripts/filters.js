"use strict";
/* The form: a preset, conditions, a search and an order; and what they leave, in `state`. */
const state = { words: [], conditions: [], shown: [], current: -1, cards: new Set(), contextsOpen: false };
/* With more groups (a paragraph, a question) a list to choose from helps nobody. */
const MOST_GROUPS = 300;

function fillForm() {
  data.relations = relations();
  data.orders = orders();
  const choices = (key) => [["", "all"], ...[...new Set(data.items.map((item) => item[key]))].sort().map((name) => [`=${name}`, name])];
  const put = (id, pairs) => byId(id).append(...pairs.map(([value, text]) => make("option", { value, text })));
  put("filter-task", choices("task"));
  const groups = choices("group");
  if (groups.length > MOST_GROUPS) byId("filter-group").closest("label").hidden = true;
  put("filter-group", groups.length > MOST_GROUPS ? groups.slice(0, 1) : groups);
  put("filter-order", data.orders.map(([name], place) => [place, name]));
  /* The figures of the page are under the first. */
  put("filter-wording", data.wordings.map((name, place) => place ? [name, name] : ["", `${name} (reported)`]));
  byId("filter-wording").closest("label").hidden = data.wordings.length < 2;
  drawPresets();
}

/* The presets with how many questions fit each, under the wording shown. */
function drawPresets() {
  const made = presets().flatMap(([heading, found]) => {
    const options = found.map(([name, conditions]) => {
      const count = data.every.reduce((sum, item) => sum + fits(item, conditions), 0);
      return make("option", { value: JSON.stringify(conditions), text: `${name} (${count})` });
    });
    return heading ? [make("optgroup", { label: heading }, options)] : options;
  });
  byId("filter-preset").replaceChildren(...made, make("option", { value: "own", text: "your own conditions", hidden: "" }));
}

function conditionRow(condition) {
  const [arm, relation, language] = condition;
  const list = (label, choices, chosen, take) => {
    const made = make("select", { "aria-label": label }, choices.map(([value, text]) => make("option", { value: JSON.stringify(value), text })));
    made.value = JSON.stringify(chosen);
    made.addEventListener("change", () => { condition[take] = JSON.parse(made.value); });
    return made;
  };
  const arms = data.arms.map(({ name }, place) => [place, name]);
  if (arms.length > 1) arms.push([EVERY, "every arm"], [SOME, "any arm"]);
  const languages = data.languages.map((one, place) => [place, languageTitle(one)]);
  if (languages.length > 1) languages.push([EVERY, "every language"], [SOME, "any one language"]);
  const remove = make("button", { text: "✕", type: "button", "aria-label": "Remove this condition" });
  remove.addEventListener("click", () => {
    state.conditions.splice(state.conditions.indexOf(condition), 1);
    drawConditions();
    filter();
  });
  return make("div", { kind: "condition" }, [
    list("arm", arms, arm, 0), list("answer", [...data.relations].map(([key, { text }]) => [key, text]), relation, 1),
    make("span", { text: "in" }), list("language", languages, language, 2), remove]);
}

function drawConditions() {
  byId("conditions").replaceChildren(...state.conditions.map(conditionRow));
}

const searched = new Map();
/* Lower-case texts of an item, made when they are first searched. */
function textsOf(item) {
  if (!searched.has(item)) {
    const { id, task, group, texts } = data.items[item], { replies } = saidTo(item);
    const found = texts.flatMap((one) => one ? [one[0], ...one[2], ...one[3], one[1] < 0 ? "" : data.contexts[one[1]]] : []);
    searched.set(item, [id, task, group, ...found, ...(replies ?? []).flat()].join("\n").toLocaleLowerCase());
  }
  return searched.get(item);
}

function filter() {
  const wording = byId("filter-wording").selectedIndex;
  if (wording !== data.wording) {
    useWording(wording);
    searched.clear();
    drawPresets();
  }
  state.words = byId("filter-text").value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const task = byId("filter-task").value, group = byId("filter-group").value;
  const key = JSON.stringify(state.conditions), preset = byId("filter-preset");
  preset.value = key;
  if (preset.selectedIndex < 0) preset.value = "own";
  const [, order] = data.orders[byId("filter-order").value];
  state.shown = data.every.filter((item) => (!task || `=${data.items[item].task}` === task)
    && (!group || `=${data.items[item].group}` === group)
    && fits(item, state.conditions) && state.words.every((word) => textsOf(item).includes(word)));
  if (order) {
    const keys = new Map(state.shown.map((item) => [item, order(item)]));
    state.shown.sort((a, b) => keys.get(a) - keys.get(b) || a - b);
  }
  drawOverview();
  showItem(state.shown.includes(state.current) ? state.current : state.shown[0] ?? -1);
}

function listenToForm() {
  byId("filter-preset").addEventListener("change", (event) => {
    state.conditions = JSON.parse(event.target.value);
    drawConditions();
  });
  byId("add-condition").addEventListener("click", () => {
    const language = data.languages.length > 1 ? SOME : 0;
    state.conditions.push([data.subject, "right", language]);
    drawConditions();
    filter();
    byId("conditions").lastElementChild.querySelector("select").focus();
  });
  /* Some ways to choose in a list, assistive ones among them, send `change` alone. The lists' own listeners
     have run by then. */
  for (const sent of ["input", "change"]) byId("filters").addEventListener(sent, filter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => setTimeout(() => {
    state.conditions = [];
    drawConditions();
    filter();
  }));
}
