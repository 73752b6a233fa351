"use strict";
/* Filters that are questions: "arm A is right in language L", several of them joined by "and". */
const EVERY = "every", SOME = "some";

/* A condition is [arm, relation, language]: numbers, EVERY or SOME for arm and language. */
function relations() {
  const pivot = data.languages[0]?.code, several = data.languages.length > 1 && data.parallel;
  const found = [
    ["right", "is right", (item, arm, language) => verdict(item, arm, language) === RIGHT],
    ["not-right", "is not right", (item, arm, language) => verdict(item, arm, language) !== RIGHT],
    ["wrong", "is wrong", (item, arm, language) => verdict(item, arm, language) === WRONG],
    ["silent", "gives no answer", (item, arm, language) => verdict(item, arm, language) === SILENT],
  ];
  const hasAnswer = (item, arm, language) => verdict(item, arm, language) !== SILENT;
  if (several) {
    const same = (item, arm, language) => hasAnswer(item, arm, language) && saidBy(item, arm, language) === saidBy(item, arm, 0);
    found.push(
      ["same-language", `answers as in ${pivot}`, same],
      ["other-language", `answers otherwise than in ${pivot}`, (...cell) => !same(...cell)]);
  }
  if (data.arms.length > 1) data.arms.forEach(({ name }, other) => {
    const same = (item, arm, language) => saidBy(item, arm, language) === saidBy(item, other, language);
    found.push([`same-arm ${name}`, `answers as ${name}`, same], [`other-arm ${name}`, `answers otherwise than ${name}`, (...cell) => !same(...cell)]);
  });
  return new Map(found.map(([key, text, holds]) => [key, { text, holds }]));
}

function holdsIn(item, [arm, relation], language) {
  const holds = (number) => isAsked(item, language) && data.relations.get(relation).holds(item, number, language);
  return arm === EVERY ? data.armNumbers.every(holds) : arm === SOME ? data.armNumbers.some(holds) : holds(arm);
}

/* "Any one language" is the same language in all conditions that say so: "A is right and B is wrong" there. */
function fits(item, conditions) {
  const open = [];
  for (const condition of conditions) {
    const language = condition[2];
    if (language === SOME) open.push(condition);
    else if (language === EVERY) {
      if (!data.languageNumbers.every((number) => !isAsked(item, number) || holdsIn(item, condition, number))) return false;
    } else if (!holdsIn(item, condition, language)) return false;
  }
  return !open.length || data.languageNumbers.some((language) => open.every((condition) => holdsIn(item, condition, language)));
}

/* Questions that readers ask first, by heading: a name, and its conditions. */
function presets() {
  const { arms, languages, subject, other } = data, several = languages.length > 1 && data.parallel;
  const who = arms.length > 1 ? `${arms[subject].name} ` : "";
  const general = [["all questions", []]];
  if (several) {
    general.push(
      [`${who}right everywhere`, [[subject, "right", EVERY]]],
      [`${who}wrong everywhere`, [[subject, "not-right", EVERY]]],
      [`${who}same wrong answer everywhere`, [[subject, "wrong", EVERY], [subject, "same-language", EVERY]]],
      [`${who}languages disagree`, [[subject, "other-language", SOME]]]);
  } else general.push([`${who}right`, [[subject, "right", SOME]]], [`${who}not right`, [[subject, "not-right", SOME]]]);
  general.push([`${who}without an answer`, [[subject, "silent", SOME]]]);
  const found = [["", general]];
  const gained = (language) => [[subject, "right", language], [other, "not-right", language]];
  const lost = (language) => [[subject, "not-right", language], [other, "right", language]];
  if (arms.length > 1) {
    const than = `against ${arms[other].name}`;
    general.push(
      ["all arms right", [[EVERY, "right", SOME]]], ["no arm right", [[EVERY, "not-right", SOME]]],
      ["arms disagree", [[SOME, `other-arm ${arms[0].name}`, SOME]]]);
    found.push(
      [`Gained ${than}`, [["gained in any language", gained(SOME)], ...languages.map((one, place) => [`gained in ${languageTitle(one)}`, gained(place)])]],
      [`Lost ${than}`, [["lost in any language", lost(SOME)], ...languages.map((one, place) => [`lost in ${languageTitle(one)}`, lost(place)])]]);
  }
  if (several) found.push(["Carried over", languages.slice(1).map((one, place) =>
    [`${who}right in ${languages[0].code}, not in ${languageTitle(one)}`, [[subject, "right", 0], [subject, "not-right", place + 1]]])]);
  return found;
}

function orders() {
  const { arms, subject, other } = data;
  const found = [["as in the benchmark", null], [`most right first: ${arms[subject].name}`, (item) => -rightCount(item, subject)],
    [`fewest right first: ${arms[subject].name}`, (item) => rightCount(item, subject)]];
  if (arms.length > 1) found.push(
    [`most gained over ${arms[other].name} first`, (item) => rightCount(item, other) - rightCount(item, subject)],
    [`most lost to ${arms[other].name} first`, (item) => rightCount(item, subject) - rightCount(item, other)]);
  return found;
}
