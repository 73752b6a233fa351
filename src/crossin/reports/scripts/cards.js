"use strict";
/* The question shown: its table, and a card for each language that is open. */
/* With more languages, the first alone is open at the start. */
const MOST_OPEN = 4;

function shares(logprobs) {
  if (!logprobs || logprobs.some((value) => value === null)) return null;
  const most = Math.max(...logprobs);
  const weights = logprobs.map((value) => Math.exp(value - most));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/* A line for each arm. The bar is a background, since thousands of elements would make a step slow. Answers
   that were generated have no shares: an option names the arms that chose it. */
function bars(item, language, option, found) {
  const lines = data.arms.flatMap((arm, place) => {
    const chosen = answerOf(item, place, language) === option;
    if (!found[place] && !chosen) return [];
    const share = found[place] ? `${(100 * found[place][option]).toFixed(0)}%` : "";
    /* One text: an element for the name makes a step slower, dozens of times. */
    const line = make("div", { kind: `bar ${share ? "track" : ""} ${chosen ? "chosen" : ""}`, text: share ? `${share.padStart(4, "\u2007")} ${arm.name}` : arm.name, title: arm.name });
    if (share) {
      line.style.setProperty("--share", share);
      line.style.setProperty("--colour", arm.colour);
      line.title += `: log-probability ${saidTo(item).logprobs[place][language][option].toFixed(2)}`;
    }
    if (chosen) {
      const right = option === data.items[item].gold, said = `${arm.name} chose this: ${right ? "right" : "wrong"}`;
      line.prepend(make("b", { kind: right ? "right" : "wrong", text: right ? "✓" : "✗", title: said, role: "img", "aria-label": said }));
    }
    return [line];
  });
  return make("div", { kind: "bars", dir: "ltr", lang: "en" }, lines);
}

/* What an arm replied, and how it was read. The reply may be in any language. */
function reply(item, arm, language) {
  const text = replyOf(item, arm, language), why = saidTo(item).unread?.[arm][language] ?? -1;
  const lines = [text ? marked("dd", text, { kind: "reply", dir: "auto" }) : make("dd", { kind: "none", text: "empty reply" })];
  const answer = answerOf(item, arm, language);
  if (isOpen(item)) {
    if (scoreOf(item, arm, language) !== null) lines.push(make("dd", { kind: "read", text: f1Text(item, arm, language) }));
  } else if (answer >= 0) {
    lines.push(make("dd", { kind: "read" }, ["read as ", make("bdi", { text: data.items[item].texts[language][2][answer] }), `: ${verdictText(item, arm, language)}`]));
  }
  if (why >= 0) lines.push(make("dd", { kind: "none", text: `No answer: ${data.reasons[why]}` }));
  return [make("dt", { text: data.arms[arm].name }), ...lines];
}

function contextOf(text, spoken) {
  const made = make("details", { kind: "context" }, [make("summary", { text: "Context" }), marked("p", text, spoken)]);
  made.open = state.contextsOpen;
  made.addEventListener("toggle", () => { state.contextsOpen = made.open; });
  return made;
}

function card(item, language) {
  const { code, name, direction } = data.languages[language];
  const { texts, gold, listed } = data.items[item], { replies, unread, logprobs, shown } = saidTo(item);
  const [question, context, options, references] = texts[language];
  const spoken = { lang: code, dir: direction };
  const right = data.armNumbers.filter((arm) => verdict(item, arm, language) === RIGHT).length;
  const all = data.arms.length > 1 ? `${right} of ${data.arms.length} right` : right ? "right" : "wrong";
  const made = make("section", { kind: "card", "data-language": code, "aria-label": `${name} (${code})` }, [
    make("h4", {}, [make("span", {}, [make("bdi", { text: name, lang: code }), ` ${name === code ? "" : code}`]),
      make("span", { text: isOpen(item) ? "" : all })])]);
  if (context >= 0) made.append(contextOf(data.contexts[context], spoken));
  made.append(marked("p", question, { kind: "question", ...spoken }));
  /* Of an inventory, those named in this language, and the right one. */
  const isShown = (option) => listed !== false || option === gold || data.armNumbers.some((arm) => answerOf(item, arm, language) === option);
  const found = data.armNumbers.map((arm) => shares(logprobs[arm]?.[language]));
  /* In the order in which the model saw them. */
  const order = shown?.[language] ?? range(options.length);
  made.append(make("ul", { kind: "options" }, order.filter(isShown).map((option) => make("li", { kind: option === gold ? "gold" : "" }, [
    marked("div", options[option], { kind: "option", ...spoken }), bars(item, language, option, found)]))));
  /* The right entity's name says it, too. */
  if (references.length && references[0] !== options[gold]) made.append(make("p", { kind: "reference" }, [make("span", { text: "Reference " }), marked("bdi", references[0], spoken)]));
  if (references.length > 1) made.append(make("details", {}, [make("summary", { text: `${references.length - 1} more` }),
    make("ul", {}, references.slice(1).map((text) => marked("li", text, spoken)))]));
  if (replies) made.append(make("dl", { kind: "replies" }, data.armNumbers.flatMap((arm) => reply(item, arm, language))));
  const silent = silentArms(item, language).filter(() => !unread).map((arm) => data.arms[arm].name);
  if (silent.length) made.append(make("p", { kind: "none", text: `No answer: ${silent.join(", ")}` }));
  return made;
}

function drawCards(item) {
  const shown = data.languageNumbers.filter((language) => isAsked(item, language) && state.cards.has(language));
  byId("item").querySelector(".cards").replaceChildren(...shown.map((language) => card(item, language)));
}

function keyOf(item) {
  if (isOpen(item)) return ["F1: words that reply and reference share"];
  return ["★ right answer", ...(saidTo(item).logprobs.some(Boolean) ? ["bars: each option's share of the probability"] : [])];
}

function showItem(item) {
  state.current = item;
  const place = state.shown.indexOf(item);
  byId("position").textContent = item < 0 ? "No question fits" : `${place + 1} of ${state.shown.length}`;
  byId("previous").disabled = place <= 0;
  byId("next").disabled = item < 0 || place >= state.shown.length - 1;
  moveFrame(place);
  writeLinkSoon();
  if (item < 0) return byId("item").replaceChildren();
  const { id, task, group, texts } = data.items[item];
  /* The cards of a benchmark with a question for each language show what there is. */
  if (!texts.some((one, language) => one && state.cards.has(language))) state.cards.add(texts.findIndex(Boolean));
  byId("item").replaceChildren(
    make("h3", { text: id }), make("p", { kind: "key", text: [`task ${task}`, `group ${group}`, ...keyOf(item)].join(" · ") }),
    ...(texts.filter(Boolean).length > 1 ? [matrix(item), make("p", { kind: "key" }, data.armNumbers.map((arm) => make("span", {}, [armSymbol(arm), ` ${data.arms[arm].name}`])))] : []),
    make("div", { kind: "cards" }));
  drawCards(item);
}

function openCards() {
  const open = data.languages.length <= MOST_OPEN ? data.languageNumbers : [0];
  state.cards = new Set(open);
  byId("every-card").hidden = data.languages.length <= 1;
  byId("every-card").addEventListener("click", () => {
    const all = data.languageNumbers.every((language) => state.cards.has(language));
    state.cards = new Set(all ? [0] : data.languageNumbers);
    showItem(state.current);
  });
}
