"use strict";
/* One question as a table: a line an option, a column a language, and in each cell the arms that chose it. */
const SYMBOLS = {
  circle: "●", square: "■", diamond: "◆", "triangle-up": "▲", cross: "✚", "triangle-down": "▼", "triangle-right": "▶", wedge: "◗",
};

function armSymbol(arm, said = "") {
  const { name, colour, symbol } = data.arms[arm], label = said ? `${name}: ${said}` : name;
  const made = make("span", { kind: "symbol", text: SYMBOLS[symbol] ?? "●", title: label, role: "img", "aria-label": label });
  made.style.color = colour;
  return made;
}

function matrix(item) {
  const { texts, gold } = data.items[item], asked = data.languageNumbers.filter((language) => isAsked(item, language));
  const heads = asked.map((language) => make("th", { scope: "col" }, [headButton(item, language)]));
  const first = texts[asked[0]], code = data.languages[asked[0]].code;
  const rows = isOpen(item)
    ? data.armNumbers.map((arm) => [make("th", { scope: "row" }, [armSymbol(arm), ` ${data.arms[arm].name}`]),
      ...asked.map((language) => make("td", { text: verdictText(item, arm, language) }))])
    : first[2].map((text, option) => [
      make("th", { scope: "row", kind: option === gold ? "gold" : "" }, [marked("span", text, { kind: "option", lang: code, dir: data.languages[asked[0]].direction })]),
      ...asked.map((language) => chosenCell(item, language, option, option === gold))]);
  if (!isOpen(item) && asked.some((language) => silentArms(item, language).length)) {
    rows.push([make("th", { scope: "row", kind: "none", text: "no answer" }), ...asked.map((language) =>
      make("td", {}, silentArms(item, language).map((arm) => armSymbol(arm, "no answer"))))]);
  }
  return make("div", { kind: "scroll", tabindex: "0", role: "region", "aria-label": "Answers by option and language" }, [
    make("table", { kind: "matrix" }, [
      make("thead", {}, [make("tr", {}, [make("td"), ...heads])]), make("tbody", {}, rows.map((cells) => make("tr", {}, cells)))])]);
}

const silentArms = (item, language) => data.armNumbers.filter((arm) => verdict(item, arm, language) === SILENT);

function chosenCell(item, language, option, isGold) {
  const chose = data.armNumbers.filter((arm) => answerOf(item, arm, language) === option);
  return make("td", { kind: isGold ? "gold" : "" }, chose.map((arm) => armSymbol(arm, isGold ? "right" : "wrong")));
}

/* The head of a column shows or hides the card of its language. */
function headButton(item, language) {
  const one = data.languages[language], open = state.cards.has(language);
  const made = make("button", { text: one.code, type: "button", title: languageTitle(one), "aria-pressed": String(open) });
  made.addEventListener("click", () => {
    if (!state.cards.delete(language)) state.cards.add(language);
    made.setAttribute("aria-pressed", String(state.cards.has(language)));
    drawCards(item);
    byId("item").querySelector(`.card[data-language="${one.code}"]`)?.scrollIntoView({ block: "nearest" });
  });
  return made;
}
